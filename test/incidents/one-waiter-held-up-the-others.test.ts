// A request that a node had refused waits for another node. While it stood first in line, the places that its own node had
// again were offered to it alone, and everybody behind it was turned away beside an idle node.
import { expect, it } from '@jest/globals'
import { type Waiter, WaitingRoom } from '../../gateway/edge/forward/waiting-room.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

const home = aHome([aLevel('local', [aNode('xian-1'), aNode('xian-2')])])

it('who has been to the freed node lets others pass', () => {
  let now = 1000
  using room = new WaitingRoom({
    settings: () => ({ size: 10, targetWaitMs: 1000, maxWaitMs: 1000 }),
    mayStretch: () => false,
    now: () => now,
  })
  const served: string[] = []
  let places = 0
  const waiter = (name: string, tried: readonly string[]): Waiter => ({
    home,
    routeClass: 'critical',
    tried: tried.map(nodeId),
    proceed() {
      if (places === 0 || tried.includes('xian-1')) return false
      places -= 1
      served.push(name)
      return true
    },
    waitedTooLong: () => served.push(`${name} turned away`),
  })
  for (const one of [waiter('refused', ['xian-1']), waiter('second', []), waiter('third', [])]) {
    expect(room.enter(one, now)).toBe(true)
  }
  now += 5
  places = 1
  room.placeFreed('610100')
  expect(served).toEqual(['second'])
  places = 5
  room.placeFreed('610100')
  expect(served).toEqual(['second', 'third'])
  expect(room.size).toBe(1)
})

it('one who leaves while it is let go on is not counted out twice', () => {
  using room = new WaitingRoom({
    settings: () => ({ size: 10, targetWaitMs: 1000, maxWaitMs: 1000 }),
    mayStretch: () => false,
    now: () => 1000,
  })
  // As a request that no node can be sent: its try fails before it has begun.
  const waiter: Waiter = {
    home,
    routeClass: 'critical',
    tried: [],
    proceed: () => {
      room.leave(waiter)
      return true
    },
    waitedTooLong: () => {},
  }
  room.enter(waiter, 1000)
  room.placeFreed('610100')
  expect(room.size).toBe(0)
})
