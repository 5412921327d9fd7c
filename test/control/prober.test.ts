// The probe loops, on a clock turned by hand.
import { expect, it } from '@jest/globals'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import { Board } from '../../gateway/control/health/board.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { type Probe, Prober, type ProbeResult } from '../../gateway/control/health/prober.ts'
import { silent } from '../../gateway/control/health/readiness.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { listening } from '../support/silent-observer.ts'
import { aNode, aRegion, learning } from '../support/values.ts'

const settings = { intervalMs: 2000, fastIntervalMs: 500, downIntervalMs: 1000, rise: 2, fall: 3, jitter: 0 }
const boardSettings = {
  breaker: {
    errorThresholdPercent: 25,
    volumeThreshold: 8,
    windowMs: 5000,
    resetTimeoutMs: 6000,
    connectFailures: 5,
  },
  slowStart: { windowMs: 10_000, initialShare: 0.1 },
  concurrency: learning,
}
const good: ProbeResult = { good: true, readiness: silent }
const bad: ProbeResult = { good: false, detail: 'refused' }

function setUp(probe: Probe) {
  const clock = new FakeClock()
  const { observer, events } = listening()
  const board = new Board(clock, boardSettings, observer)
  const prober = new Prober({ board, clock, probe, random: () => 0.5 }, settings)
  const follow = (...ids: string[]): void => {
    const snapshot = snapshotOf(1, [aRegion('610100', { nodes: ids.map((id) => aNode(id)) })], noIntent)
    board.follow(snapshot)
    prober.follow(snapshot)
  }
  const stop = (): void => {
    prober[Symbol.dispose]()
    board[Symbol.dispose]()
  }
  return { clock, events, follow, board, stop }
}

it('takes a node down after three bad probes and up after two good ones, in haste between', async () => {
  let answer: ProbeResult = good
  const { clock, events, follow, stop } = setUp(() => Promise.resolve(answer))
  follow('xian-1')
  await settle()
  expect(events).toEqual(['health xian-1 up'])
  expect(clock.waiting).toEqual([2000])
  answer = bad
  await clock.advance(2000)
  expect(clock.waiting).toEqual([500])
  await clock.advance(999)
  expect(events).toHaveLength(1)
  await clock.advance(1)
  expect(events).toEqual(['health xian-1 up', 'health xian-1 down'])
  expect(clock.waiting).toEqual([1000])
  answer = good
  await clock.advance(1500)
  expect(events.at(-1)).toBe('health xian-1 up')
  stop()
  expect(clock.waiting).toEqual([])
})

it('does not let one hung node delay the others', async () => {
  let probes = 0
  const { clock, follow, stop } = setUp((node) => {
    if (node.id === 'hung') return new Promise(() => {})
    probes += 1
    return Promise.resolve(good)
  })
  follow('hung', 'well')
  await settle()
  await clock.advance(10_000)
  expect(probes).toBe(6)
  stop()
})

it('ends the loop of a node that is gone and aborts its probe under way', async () => {
  const signals: AbortSignal[] = []
  const { clock, follow, events, stop } = setUp((_node, signal) => {
    signals.push(signal)
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(bad)))
  })
  follow('xian-1')
  follow('xian-2')
  await settle()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  expect(events).toEqual([])
  stop()
  await settle()
  expect(clock.waiting).toEqual([])
})

it('a good probe clears a stall', async () => {
  const { clock, follow, board, stop } = setUp(() => Promise.resolve(good))
  follow('xian-1')
  await settle()
  const [state] = board.all()
  state?.overdue()
  state?.overdue()
  state?.overdue()
  await clock.advance(2000)
  expect(state?.silentOverdue).toBe(0)
  stop()
})

it('takes over which homes a node can not answer for, tells each change once, and keeps it over bad probes', async () => {
  let answer: ProbeResult = good
  const { clock, events, follow, board, stop } = setUp(() => Promise.resolve(answer))
  const says = async (...homes: string[]): Promise<void> => {
    answer = { good: true, readiness: { kind: 'told', notReadyFor: new Set(homes.map(regionId)) } }
    await clock.advance(2000)
  }
  follow('xian-1')
  await settle()
  // 650000 is served by nobody here.
  await says('610100', '650000')
  await says('610100')
  const [state] = board.all()
  expect([...(state?.notReadyFor ?? [])]).toEqual(['610100'])
  answer = bad
  await clock.advance(2000)
  expect(state?.notReadyFor.size).toBe(1)
  await says()
  expect(events).toEqual(['health xian-1 up', 'not ready xian-1 610100', 'not ready xian-1'])
  stop()
})
