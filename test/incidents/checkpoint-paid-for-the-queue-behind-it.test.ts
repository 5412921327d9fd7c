// A queue that had stood for 200 ms cut the wait of everybody to 30 ms, also of checkpoints, which are served before all
// that stood there: in ten times the peak one verification in fifty was turned away, though all of them would have been
// served in time.
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals'
import { type Waiter, WaitingRoom } from '../../gateway/edge/forward/waiting-room.ts'
import type { RouteClass } from '../../gateway/model/route-class.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

const home = aHome([aLevel('local', [aNode('xian-1')])])

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

it('what stands behind a class does not shorten its wait', () => {
  let now = 1000
  using room = new WaitingRoom({
    settings: () => ({ size: 10, targetWaitMs: 30, maxWaitMs: 200 }),
    mayStretch: () => false,
    now: () => now,
  })
  const turnedAway: string[] = []
  const enter = (name: string, routeClass: RouteClass): void => {
    const waiter: Waiter = {
      home,
      routeClass,
      tried: [],
      proceed: () => false,
      waitedTooLong: () => turnedAway.push(name),
    }
    expect(room.enter(waiter, now)).toBe(true)
  }
  enter('history', 'deferrable')
  now += 150
  enter('later history', 'deferrable')
  now += 60
  enter('checkpoint', 'critical')
  jest.advanceTimersByTime(30)
  // The queue has stood for 210 ms: who waited for 30 ms of that at its end goes.
  expect(turnedAway).toEqual(['history', 'later history'])
  now += 100
  jest.advanceTimersByTime(30)
  expect(room.size).toBe(1)
  now += 101
  jest.advanceTimersByTime(30)
  expect(turnedAway).toEqual(['history', 'later history', 'checkpoint'])
})

it('but a checkpoints’ own queue that stands is cut like any other', () => {
  let now = 1000
  using room = new WaitingRoom({
    settings: () => ({ size: 10, targetWaitMs: 30, maxWaitMs: 200 }),
    mayStretch: () => false,
    now: () => now,
  })
  let turnedAway = 0
  const enter = (): boolean =>
    room.enter(
      {
        home,
        routeClass: 'critical',
        tried: [],
        proceed: () => false,
        waitedTooLong: () => (turnedAway += 1),
      },
      now,
    )
  for (let i = 0; i < 5; i++, now += 50) expect(enter()).toBe(true)
  jest.advanceTimersByTime(30)
  expect([turnedAway, room.size]).toEqual([5, 0])
})
