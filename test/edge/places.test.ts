// The places of a queue that is served from both ends say the same as a plain list would.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Places } from '../../gateway/edge/forward/places.ts'

const step = fc.oneof(
  fc.record({ does: fc.constant('add' as const), who: fc.nat(20) }),
  fc.record({ does: fc.constant('delete' as const), who: fc.nat(20) }),
  fc.record({ does: fc.constant('oldest' as const), who: fc.constant(0) }),
  fc.record({ does: fc.constant('newest' as const), who: fc.constant(0) }),
)

it('whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const places = new Places<number>()
      let list: number[] = []
      for (const { does, who } of steps) {
        if (does === 'add') {
          places.add(who, 0)
          list = [...list.filter((one) => one !== who), who]
        } else if (does === 'delete') {
          expect(places.delete(who)).toBe(list.includes(who))
          list = list.filter((one) => one !== who)
        } else {
          const next = does === 'oldest' ? places.oldest : [...places.newestFirst()][0]
          expect(next?.waiter).toBe(does === 'oldest' ? list[0] : list.at(-1))
          if (next !== undefined) places.delete(next.waiter)
          list = list.filter((one) => one !== next?.waiter)
        }
        expect([...places.oldestFirst()].map(({ waiter }) => waiter)).toEqual(list)
        expect([...places.newestFirst()].map(({ waiter }) => waiter)).toEqual(list.toReversed())
        expect(places.size).toBe(list.length)
      }
    }),
  )
})

it('long queues are forgotten from the front', () => {
  const places = new Places<number>()
  for (let i = 0; i < 10_000; i++) {
    places.add(i, i)
    if (i >= 10) {
      expect(places.oldest?.since).toBe(i - 10)
      places.delete(i - 10)
    }
  }
  expect(places.size).toBe(10)
})
