// A breaker that only measures opens on what opens a node's own, held or not, and on nothing else.
import { expect, it } from '@jest/globals'
import { BreakerFactory } from '../../gateway/control/breakers.ts'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { Witnesses } from '../../gateway/control/drills/witnesses.ts'
import { Board } from '../../gateway/control/health/board.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import type { HoldKind } from '../../gateway/model/hold.ts'
import type { Outcome } from '../../gateway/model/outcome.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { listening } from '../support/silent-observer.ts'
import { aNode, aRegion, learning } from '../support/values.ts'

const breaker = {
  errorThresholdPercent: 50,
  volumeThreshold: 8,
  windowMs: 60_000,
  resetTimeoutMs: 61_000,
  connectFailures: 5,
}
const node = aNode('xian-1')
const many = (outcome: Outcome, count: number): Outcome[] => Array.from({ length: count }, () => outcome)

it.each<{ what: string; outcomes: Outcome[]; opensAt: number | null }>([
  { what: 'all fail', outcomes: many('error-status', 9), opensAt: 8 },
  { what: 'some fail', outcomes: [...many('answered', 9), ...many('timeout', 8)], opensAt: null },
  { what: 'most fail', outcomes: [...many('answered', 4), ...many('reset', 6)], opensAt: 9 },
  { what: 'nobody is let in', outcomes: [...many('answered', 9), ...many('connect-failed', 6)], opensAt: 14 },
  {
    what: 'nobody is let in, by turns',
    outcomes: [...many('answered', 9), ...many('connect-failed', 4), 'answered', 'connect-failed'],
    opensAt: null,
  },
  { what: 'nothing is its fault', outcomes: [...many('refused', 9), ...many('abandoned', 9)], opensAt: null },
])('where $what it opens as the node’s own does', async ({ outcomes, opensAt }) => {
  for (const hold of [null, 'trip', 'bypass', 'drain'] satisfies (HoldKind | null)[]) {
    using breakers = new BreakerFactory(breaker)
    const opened: number[] = []
    let told = 0
    using witnesses = new Witnesses(breakers, breaker.connectFailures, () => opened.push(told))
    const settings = { breaker, slowStart: { windowMs: 1000, initialShare: 0.1 }, concurrency: learning }
    using board = new Board(new FakeClock(), settings, listening().observer)
    board.follow(snapshotOf(1, [aRegion('610100', { nodes: [node] })], noIntent))
    const own = board.state(node)
    if (own === undefined) throw new Error('the node is on the board')
    own.hold = hold
    let ownAt: number | null = null
    for (const outcome of outcomes) {
      told += 1
      witnesses.heard(node.id, outcome)
      own.ended(own.began(0, false, 'request'), outcome, 0)
      // opossum tells of its moves after a few turns of the microtask queue.
      for (let i = 0; i < 5; i++) await Promise.resolve()
      if (own.breaker === 'open') ownAt ??= told
    }
    expect({ hold, ownAt, opened }).toEqual({
      hold,
      ownAt: opensAt,
      opened: opensAt === null ? [] : [opensAt],
    })
  }
})
