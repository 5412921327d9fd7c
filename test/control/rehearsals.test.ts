// A process's part in drills, by a clock turned by hand: leases that nobody puts off, phases, and whom a drill leaves alone.
import { expect, it } from '@jest/globals'
import { snapshotOf } from '../../gateway/control/directory.ts'
import type { Rehearsal } from '../../gateway/control/drills/rehearsal.ts'
import { Rehearsals } from '../../gateway/control/drills/rehearsals.ts'
import { Board } from '../../gateway/control/health/board.ts'
import type { DrillLease, Fault } from '../../gateway/model/drill.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import { demoFederation, xian, xianyang } from '../support/demo-federation.ts'
import { aLease } from '../support/drills.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { listening } from '../support/silent-observer.ts'
import { aNode, learning } from '../support/values.ts'

const epoch = 1_800_000_000_000
const breaker = {
  errorThresholdPercent: 50,
  volumeThreshold: 5,
  windowMs: 1000,
  resetTimeoutMs: 2000,
  connectFailures: 5,
}
const probes = {
  intervalMs: 1000,
  fastIntervalMs: 100,
  downIntervalMs: 500,
  timeoutMs: 300,
  rise: 2,
  fall: 2,
  jitter: 0,
}

function setUp() {
  const clock = new FakeClock()
  const { observer, events } = listening()
  const settings = { breaker, slowStart: { windowMs: 1000, initialShare: 0.1 }, concurrency: learning }
  const board = new Board(clock, settings, observer)
  const rehearsals = new Rehearsals({
    board,
    clock,
    wallNow: () => epoch + clock.now(),
    nodeSettings: () => settings,
    probeSettings: () => probes,
    own: { ms: 0 },
    observer,
  })
  const regions = demoFederation()
  let version = 0
  const follow = (drills: readonly DrillLease[]): void => {
    const snapshot = snapshotOf(++version, regions, { holds: [], mode: null, drills })
    board.follow(snapshot)
    rehearsals.follow(snapshot)
  }
  follow([])
  return {
    clock,
    board,
    rehearsals,
    events,
    follow,
    lease: (fault: Fault, changes: Partial<DrillLease> = {}) =>
      aLease(fault, {
        startedAt: epoch,
        faultAt: epoch + 1000,
        endsAt: epoch + 60_000,
        expiresAt: epoch + 15_000,
        ...changes,
      }),
    phase: () => rehearsals.inForce.map(({ phase }) => phase).join(' '),
    [Symbol.dispose]() {
      rehearsals[Symbol.dispose]()
      board[Symbol.dispose]()
      expect(clock.waiting).toEqual([])
    },
  }
}

/** How the cohort sees 610100's first node. */
function verdictOf(rehearsal: Rehearsal | undefined, board: Board): [string, string] {
  const node = demoFederation()[0]?.nodes[0]
  if (node === undefined || rehearsal === undefined) throw new Error('no such node or drill')
  return [rehearsal.board.judge(node, xian, 0.5, true, false), board.judge(node, xian, 0.5, true, false)]
}

it('is only measured ahead, has its fault in its time, and brings residents back step by step', async () => {
  using it_ = setUp()
  const { clock, rehearsals, board, follow, lease, phase } = it_
  follow([lease({ kind: 'trip' })])
  expect([phase(), ...verdictOf(rehearsals.inForce[0], board)]).toEqual(['ahead', 'ok', 'ok'])
  await clock.advance(1000)
  expect([phase(), ...verdictOf(rehearsals.inForce[0], board)]).toEqual(['fault', 'held', 'ok'])
  follow([])
  expect([phase(), ...verdictOf(rehearsals.inForce[0], board)]).toEqual(['recovering', 'ramping', 'ok'])
  await clock.advance(1200)
  expect(phase()).toBe('')
  expect(rehearsals.read('drill-trip')?.timeline).toMatchObject({
    faultOn: epoch + 1000,
    detected: epoch + 1000,
    faultOff: epoch + 1000,
    recovered: expect.any(Number),
  })
})

it('ends by its own clock where nobody puts its lease off, and goes on where somebody does', async () => {
  using it_ = setUp()
  const { clock, follow, lease, phase } = it_
  const first = lease({ kind: 'trip' })
  follow([first])
  await clock.advance(14_000)
  follow([{ ...first, expiresAt: epoch + 29_000 }])
  await clock.advance(14_900)
  expect(phase()).toBe('fault')
  // Nothing more is heard of the registry.
  await clock.advance(200)
  expect(phase()).toBe('recovering')
})

it('a lost registry is played until its end, though nobody is heard who puts it off', async () => {
  using it_ = setUp()
  it_.follow([it_.lease({ kind: 'registry-loss' })])
  await it_.clock.advance(59_000)
  expect(it_.phase()).toBe('fault')
  await it_.clock.advance(1100)
  expect(it_.phase()).toBe('')
})

it('each home has its own part: helpers are faulty only to whoever they are in scope for', async () => {
  using it_ = setUp()
  const { clock, rehearsals, follow, lease } = it_
  const leases = [lease({ kind: 'trip' }), lease({ kind: 'trip' }, { home: xianyang })]
  follow(leases)
  await clock.advance(1000)
  const targets = rehearsals.inForce.map((one) => [one.lease.home, one.phase])
  expect(targets).toEqual([
    [xian, 'fault'],
    [xianyang, 'fault'],
  ])
  const nodes = demoFederation().flatMap(({ nodes: own }) => own)
  const reached = rehearsals.inForce.map((one) =>
    nodes.filter((node) => one.isTarget(node)).map(({ id }) => id),
  )
  expect(reached).toEqual([['xian-1', 'xian-2'], ['xianyang-1']])
  follow(leases.slice(1))
  expect(rehearsals.inForce.map(({ phase }) => phase)).toEqual(['recovering', 'fault'])
})

it('a node that a reload puts elsewhere is taken in anew, as another', async () => {
  using it_ = setUp()
  const { clock, rehearsals, board, lease } = it_
  it_.follow([lease({ kind: 'trip' })])
  await clock.advance(1000)
  const [own, ...others] = demoFederation()
  if (own === undefined) throw new Error('the demo has regions')
  const moved = [
    { ...own, nodes: [aNode('xian-1', { origin: 'http://127.0.0.1:9999' }), aNode('xian-2')] },
    ...others,
  ]
  const snapshot = snapshotOf(9, moved, { holds: [], mode: null, drills: [lease({ kind: 'trip' })] })
  const [before] = own.nodes
  board.follow(snapshot)
  rehearsals.follow(snapshot)
  expect(verdictOf(rehearsals.inForce[0], board)).toEqual(['held', 'ok'])
  const node = snapshot.nodes.get(nodeId('xian-1'))
  expect(node?.origin).not.toBe(before?.origin)
  const real = node === undefined ? undefined : board.state(node)
  expect(node === undefined ? undefined : rehearsals.inForce[0]?.board.state(node)).toMatchObject({ real })
})

it('failing probes find a node down by their own pace, for the cohort alone', async () => {
  using it_ = setUp()
  const { clock, rehearsals, board, events, follow, lease } = it_
  follow([lease({ kind: 'probe-fail' })])
  await clock.advance(1000)
  await clock.advance(1300)
  expect(verdictOf(rehearsals.inForce[0], board)).toEqual(['unhealthy', 'ok'])
  expect(events).toEqual(['drill 610100 ahead', 'drill 610100 fault'])
  expect(rehearsals.read('drill-probe-fail')?.events.map(({ what }) => what)).toContain('health down')
})

it('a lost registry is found out when the gateway says so, and is over when it hears again', async () => {
  using it_ = setUp()
  const { clock, rehearsals, follow, lease, phase } = it_
  follow([lease({ kind: 'registry-loss' })])
  await clock.advance(1500)
  const timeline = () => rehearsals.read('drill-registry-loss')?.timeline
  expect(timeline()).toEqual({ faultOn: epoch + 1000 })
  rehearsals.hears(false)
  expect(timeline()).toMatchObject({ detected: epoch + 1500 })
  await clock.advance(58_600)
  expect([phase(), timeline()?.recovered]).toEqual(['recovering', undefined])
  rehearsals.hears(true)
  await clock.advance(100)
  expect([phase(), timeline()?.recovered]).toEqual(['', epoch + 60_200])
})

it.each<{ fault: Fault; seen: string }>([
  { fault: { kind: 'trip' }, seen: 'held' },
  { fault: { kind: 'probe-fail' }, seen: 'unhealthy' },
])('a node that comes in the middle of a $fault.kind is taken in', async ({ fault, seen }) => {
  using it_ = setUp()
  const { clock, rehearsals, board, lease } = it_
  const on = lease(fault)
  const [own, ...others] = demoFederation()
  if (own === undefined) throw new Error('the demo has regions')
  let version = 10
  const become = (nodes: typeof own.nodes) => {
    const drills = [on]
    const snapshot = snapshotOf(++version, [{ ...own, nodes }, ...others], { holds: [], mode: null, drills })
    board.follow(snapshot)
    rehearsals.follow(snapshot)
  }
  const [first, second] = own.nodes
  if (first === undefined || second === undefined) throw new Error('it has two nodes')
  become([second])
  await clock.advance(3000)
  become([first, second])
  await clock.advance(1500)
  expect(verdictOf(rehearsals.inForce[0], board)[0]).toBe(seen)
  expect(rehearsals.inForce[0]?.isTarget(first)).toBe(true)
  // The other goes: what is left is enough for it to have been found out, and the drill goes on.
  become([first])
  expect(rehearsals.inForce[0]?.isTarget(second)).toBe(false)
  expect([it_.phase(), rehearsals.inForce[0]?.isDetected]).toEqual(['fault', true])
  become([])
  expect(it_.phase()).toBe('fault')
})
