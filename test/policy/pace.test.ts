// The pace at which a registry elsewhere is asked.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { nextIndex } from '../../gateway/control/registry/consul/watch.ts'
import { backoffMs, Pace } from '../../gateway/policy/pace.ts'

describe('a pace', () => {
  it('lets a burst through and spaces the rest', () => {
    const pace = new Pace({ burst: 2, ratePerSecond: 4 }, 0)
    expect([pace.take(0), pace.take(0), pace.take(0), pace.take(0)]).toEqual([0, 0, 250, 500])
  })

  it('saves up no more than a burst', () => {
    const pace = new Pace({ burst: 2, ratePerSecond: 4 }, 0)
    expect([pace.take(60_000), pace.take(60_000), pace.take(60_000)]).toEqual([0, 0, 250])
  })

  it('is never exceeded by whoever waits as told', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { minLength: 20, maxLength: 100 }), (thinking) => {
        const pace = new Pace({ burst: 3, ratePerSecond: 5 }, 0)
        let now = 0
        const sent = thinking.map((ms) => (now += ms + pace.take(now + ms)))
        for (const [i, at] of sent.entries()) {
          const inTheSecondAfter = sent.slice(i).filter((other) => other < at + 1000)
          expect(inTheSecondAfter.length).toBeLessThanOrEqual(3 + 5)
        }
      }),
    )
  })
})

it('pauses grow to a bound, and differ', () => {
  const bounds = { firstMs: 250, mostMs: 5000 }
  expect([1, 2, 3, 9, 1000].map((failures) => backoffMs(bounds, failures, 1))).toEqual([
    250, 500, 1000, 5000, 5000,
  ])
  expect([0, 0.5].map((chance) => backoffMs(bounds, 1, chance))).toEqual([125, 187.5])
})

it.each([
  [7n, 9n, 9n],
  [7n, 7n, 7n],
  [9n, 7n, 0n],
  [7n, 0n, 0n],
  [0n, 1n, 1n],
])('after index %d an answer of %d waits from %d', (before, given, next) => {
  expect(nextIndex(before, given)).toBe(next)
})
