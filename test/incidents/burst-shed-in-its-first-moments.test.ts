// How fast a queue moves was reckoned over half a second, also when it had stood for 20 ms: a burst that would have been
// served within its wait was turned away, because twenty answers in 20 ms looked like forty a second.
import { expect, it } from '@jest/globals'
import { type Waiter, WaitingRoom } from '../../gateway/edge/forward/waiting-room.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

it('a queue that moves fast from the start takes in whom it will serve in time', () => {
  let now = 1_000_240
  using room = new WaitingRoom({
    settings: () => ({ size: 1000, targetWaitMs: 30, maxWaitMs: 200 }),
    mayStretch: () => false,
    now: () => now,
  })
  let places = 0
  let turnedAway = 0
  const home = aHome([aLevel('local', [aNode('xian-1')])])
  const enter = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const waiter: Waiter = {
        home,
        routeClass: 'critical',
        tried: [],
        proceed: () => places > 0 && places-- > 0,
        waitedTooLong: () => (turnedAway += 1),
      }
      if (!room.enter(waiter, now)) turnedAway += 1
    }
  }
  // A node of 1000 a second, in batches of 20: 80 wait, and 40 more come after the first batch.
  enter(80)
  for (let batch = 0; batch < 6; batch++) {
    now += 20
    places += 20
    room.placeFreed('610100')
    if (batch === 0) enter(40)
  }
  expect([turnedAway, room.size]).toEqual([0, 0])
})
