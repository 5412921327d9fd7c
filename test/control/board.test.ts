// What attempts and operators do to a node's live state, with opossum measuring for real.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import { Board } from '../../gateway/control/health/board.ts'
import type { NodeState } from '../../gateway/control/health/node-state.ts'
import type { Outcome } from '../../gateway/model/outcome.ts'
import { regionId } from '../../gateway/model/ids.ts'
import type { CodeNode } from '../../gateway/model/region.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { listening } from '../support/silent-observer.ts'
import { aHold } from '../support/holds.ts'
import { aNode, aRegion, learning } from '../support/values.ts'

const settings = {
  breaker: {
    errorThresholdPercent: 25,
    volumeThreshold: 8,
    windowMs: 1000,
    resetTimeoutMs: 1100,
    connectFailures: 5,
  },
  slowStart: { windowMs: 1000, initialShare: 0.1 },
  concurrency: learning,
}
const node = aNode('xian-1')
const home = node.region
const snapshot = snapshotOf(1, [aRegion('610100', { nodes: [node] })], noIntent)

let clock: FakeClock
let board: Board
let events: string[]
let state: NodeState

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] })
  clock = new FakeClock()
  const heard = listening()
  events = heard.events
  board = new Board(clock, settings, heard.observer)
  board.follow(snapshot)
  const found = board.state(node)
  if (found === undefined) throw new Error('the node is on the board')
  state = found
})
afterEach(() => {
  board[Symbol.dispose]()
  jest.useRealTimers()
})

async function attempts(outcome: Outcome, times: number): Promise<void> {
  for (let i = 0; i < times; i++) state.ended(state.began(0, false, 'request'), outcome, 0)
  await settled()
}

/** opossum tells of its moves after a few turns of the microtask queue. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

describe('the breaker', () => {
  const halfOpened = async (): Promise<void> => {
    await attempts('answered', 4)
    await attempts('reset', 6)
    jest.advanceTimersByTime(1100)
    expect(state.breaker).toBe('half-open')
  }

  it('opens on failures, lets one trial through after its pause, and closes on its success', async () => {
    await attempts('answered', 4)
    await attempts('reset', 6)
    expect(state.breaker).toBe('open')
    expect(board.judge(node, home, 0.01, true, false)).toBe('breaker-open')
    jest.advanceTimersByTime(1100)
    expect(state.breaker).toBe('half-open')
    const trial = state.began(0, false, 'request')
    expect(board.judge(node, home, 0.01, true, false)).toBe('breaker-open')
    state.ended(trial, 'answered', 0)
    await settled()
    expect(state.breaker).toBe('closed')
    expect(events).toEqual(['breaker xian-1 open', 'breaker xian-1 half-open', 'breaker xian-1 closed'])
  })

  it('lets a request that can not be moved be the trial where no other has come for long', async () => {
    await halfOpened()
    expect(board.judge(node, home, 0.5, false, false)).toBe('on-trial')
    await clock.advance(2000)
    expect(board.judge(node, home, 0.5, false, false)).toBe('ok')
    const upload = state.began(0, false, 'upload')
    expect(board.judge(node, home, 0.5, true, false)).toBe('breaker-open')
    state.ended(upload, 'answered', 0)
    await settled()
    expect(state.breaker).toBe('closed')
  })

  it('is closed by the head of a stream, which may go on for hours', async () => {
    await halfOpened()
    const stream = state.began(0, false, 'stream')
    state.answered(stream, 'answered', 0)
    await settled()
    expect(state.breaker).toBe('closed')
    state.ended(stream, 'reset', 0)
    await settled()
    expect(state.breaker).toBe('closed')
  })

  it('opens again when the trial fails', async () => {
    await attempts('timeout', 8)
    jest.advanceTimersByTime(1100)
    await attempts('timeout', 1)
    expect(state.breaker).toBe('open')
  })

  it('stays closed below its volume, and below its share of failures', async () => {
    await attempts('reset', 7)
    expect(state.breaker).toBe('closed')
    jest.advanceTimersByTime(1200)
    await attempts('answered', 80)
    await attempts('error-status', 20)
    expect(state.breaker).toBe('closed')
  })

  it('is not moved by what clients do', async () => {
    await attempts('abandoned', 100)
    expect(state.breaker).toBe('closed')
    await attempts('reset', 8)
    jest.advanceTimersByTime(1100)
    await attempts('abandoned', 1)
    expect(state.breaker).toBe('half-open')
    expect(state.trialUnderWay).toBe(false)
  })

  it('opens on refused connections in a row, however well the window remembers the node', async () => {
    await attempts('answered', 1000)
    await attempts('connect-failed', 4)
    await attempts('answered', 1)
    await attempts('connect-failed', 4)
    expect(state.breaker).toBe('closed')
    await attempts('connect-failed', 1)
    expect(state.breaker).toBe('open')
    jest.advanceTimersByTime(1100)
    await attempts('connect-failed', 1)
    expect(state.breaker).toBe('open')
    jest.advanceTimersByTime(1100)
    await attempts('answered', 1)
    expect(state.breaker).toBe('closed')
  })

  it('is not closed by a late success of an attempt begun before it opened', async () => {
    const old = state.began(0, false, 'request')
    await attempts('reset', 8)
    jest.advanceTimersByTime(1100)
    state.ended(old, 'answered', 0)
    for (let i = 0; i < 5; i++) await Promise.resolve()
    expect(state.breaker).toBe('half-open')
  })
})

describe('a node that came back', () => {
  it('is ramped after its breaker closed', async () => {
    await attempts('reset', 8)
    jest.advanceTimersByTime(1100)
    await attempts('answered', 1)
    expect(state.ramp).toBe(0.1)
    await clock.advance(500)
    expect(state.ramp).toBe(0.5)
    await clock.advance(500)
    expect(state.ramp).toBe(1)
  })

  it('is ramped after probes called it up again, not when it is first seen', () => {
    state.probed('up', '')
    expect(state.ramp).toBe(1)
    state.probed('down', '')
    state.probed('up', '')
    expect(state.ramp).toBe(0.1)
  })
})

describe('a stall', () => {
  beforeEach(() => {
    for (let i = 0; i < 3; i++) state.overdue()
    expect(board.judge(node, home, 0.5, true, false)).toBe('stalled')
  })

  it('is ended by an answer of any kind', () => {
    state.answered(state.began(-100, false, 'request'), 'answered', 0)
    expect(board.judge(node, home, 0.5, true, false)).toBe('ok')
  })

  it('of more than a moment is followed by a ramp, whether a request or a probe was answered first', async () => {
    await clock.advance(1000)
    state.answered(state.began(-100, false, 'request'), 'answered', 0)
    expect(state.ramp).toBe(0.1)
    await clock.advance(1000)
    expect(state.ramp).toBe(1)
    for (let i = 0; i < 3; i++) state.overdue()
    await clock.advance(1000)
    state.probed('up', '')
    expect(state.ramp).toBe(0.1)
  })
})

it('counts what is open, and gives each ticket back once', () => {
  const tickets = [state.began(0, false, 'request'), state.began(0, false, 'request')]
  expect(board.inFlight(node)).toBe(2)
  for (const ticket of tickets) state.ended(ticket, 'answered', 0)
  expect(board.inFlight(node)).toBe(0)
})

it('failing fast does not look cheap', () => {
  state.answered(state.began(-2, false, 'request'), 'answered', 0)
  const cheap = board.cost(node)
  state.ended(state.began(0, false, 'request'), 'reset', 0)
  expect(board.cost(node)).toBeGreaterThan(cheap * 100)
})

describe('a new snapshot', () => {
  it('keeps what was learnt of a node that stays, with its new weight and hold', () => {
    state.probed('down', '')
    const heavier = { ...node, weight: 5, limit: 3 }
    const next = snapshotOf(2, [aRegion('610100', { nodes: [heavier] })], {
      holds: [aHold('xian-1', 'trip', 1)],
      mode: null,
    })
    expect(board.follow(next)).toEqual([])
    expect(board.state(node)).toBe(state)
    expect([state.health, state.hold, state.limit]).toEqual(['down', 'trip', 3])
  })

  // By a reload a node went to a region that lends without bound, and was still kept to what the old one lent.
  it('counts what a node lends against the region it belongs to now', () => {
    const bounded = { limitRps: Infinity, limitConcurrent: 1, homeReserve: 0 }
    const regions = (first: CodeNode[], second: CodeNode[]) => [
      aRegion('610100', { nodes: first, lends: bounded }),
      aRegion('610500', { nodes: second }),
    ]
    board.follow(snapshotOf(2, regions([node], []), noIntent))
    const before = state.began(0, true, 'request')
    expect(board.judge(node, home, 0.5, true, true)).toBe('quota-spent')
    const moved = { ...node, region: regionId('610500') }
    board.follow(snapshotOf(3, regions([], [moved]), noIntent))
    expect(board.judge(moved, home, 0.5, true, true)).toBe('ok')
    // What the old region lent is given back to it.
    state.ended(before, 'answered', 0)
    expect(board.donorOf(node.region).lentNow).toBe(0)
    expect(board.donorOf(moved.region).lentNow).toBe(0)
  })

  it('forgets a node that is gone or has moved', () => {
    const moved = { ...node, origin: 'http://127.0.0.1:9999', connectionKey: 'http://127.0.0.1:9999' }
    expect(board.follow(snapshotOf(2, [aRegion('610100', { nodes: [moved] })], noIntent))).toEqual([node])
    expect(board.state(node)).not.toBe(state)
    board.follow(snapshotOf(3, [aRegion('610100', { nodes: [] })], noIntent))
    expect(board.judge(node, home, 0.5, true, false)).toBe('draining')
  })
})
