// Under overload the least important requests go first, a few at a time, and nobody is told to come back all at once.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { RouteClass } from '../../gateway/model/route-class.ts'
import { retryAfterSeconds, sheds } from '../../gateway/policy/shedding.ts'

const classes: readonly RouteClass[] = ['critical', 'important', 'deferrable']
const overload = fc.double({ min: 0, max: 1, noNaN: true })
const draws = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const aClass = fc.constantFrom(...classes)

/** Share of a class that is shed at an overload of `x`. */
const shareShed = (routeClass: RouteClass, borrowed: boolean, x: number): number =>
  Array.from({ length: 1000 }, (_, i) => sheds(routeClass, borrowed, x, i / 1000)).filter(Boolean).length /
  1000

describe('the share shed', () => {
  it.each<[RouteClass, boolean, number, number]>([
    ['critical', false, 1, 0],
    ['critical', true, 1, 0],
    ['important', false, 0.7, 0],
    ['important', false, 0.8, 0.373],
    ['important', false, 0.9, 1],
    ['important', true, 0.7, 0.143],
    ['important', true, 0.8, 0.706],
    ['deferrable', false, 0.2, 0.02],
    ['deferrable', false, 0.5, 0.312],
    ['deferrable', false, 0.7, 0.857],
    ['deferrable', false, 0.74, 1],
    ['deferrable', true, 0.2, 0.026],
    ['deferrable', true, 0.5, 0.416],
    ['deferrable', true, 0.67, 1],
  ])('%s, borrowed %s, at %d is %d', (routeClass, borrowed, x, share) => {
    expect(shareShed(routeClass, borrowed, x)).toBeCloseTo(share, 2)
  })

  it('is next to nothing where overload begins, for every class', () => {
    for (const routeClass of classes)
      for (const borrowed of [false, true])
        expect(shareShed(routeClass, borrowed, 0.05)).toBeLessThanOrEqual(0.001)
  })
})

it('grows with overload: who is shed stays shed', () => {
  fc.assert(
    fc.property(aClass, fc.boolean(), overload, overload, draws, (routeClass, borrowed, a, b, draw) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)]
      if (sheds(routeClass, borrowed, less, draw)) expect(sheds(routeClass, borrowed, more, draw)).toBe(true)
    }),
  )
})

it('keeps the order of classes, and own residents before borrowed ones, for equal draws', () => {
  fc.assert(
    fc.property(overload, draws, (x, draw) => {
      const [critical, important, deferrable] = classes.map((one) => sheds(one, false, x, draw))
      if (critical === true) expect(important).toBe(true)
      if (important === true) expect(deferrable).toBe(true)
      for (const one of classes) if (sheds(one, false, x, draw)) expect(sheds(one, true, x, draw)).toBe(true)
    }),
  )
})

it('never sheds a borrowed request of one class before an own one of a lesser class could be', () => {
  fc.assert(
    fc.property(overload, draws, (x, draw) => {
      if (sheds('critical', true, x, draw)) expect(sheds('important', false, x, draw)).toBe(true)
      if (sheds('important', true, x, draw)) expect(sheds('deferrable', false, x, draw)).toBe(true)
    }),
  )
})

it('admits everybody without overload, and at the end only critical requests', () => {
  fc.assert(
    fc.property(aClass, fc.boolean(), draws, (routeClass, borrowed, draw) => {
      for (const none of [0, -1, Number.NaN]) expect(sheds(routeClass, borrowed, none, draw)).toBe(false)
      for (const all of [1, 7]) {
        expect(sheds(routeClass, borrowed, all, draw)).toBe(routeClass !== 'critical')
      }
    }),
  )
})

describe('Retry-After', () => {
  it('is a whole number of seconds within its bounds', () => {
    fc.assert(
      fc.property(draws, fc.nat(600), fc.nat(600), (draw, base, spread) => {
        const seconds = retryAfterSeconds(draw, base, spread)
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeGreaterThanOrEqual(base)
        expect(seconds).toBeLessThanOrEqual(base + spread)
      }),
    )
  })

  it('spreads evenly', () => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 5000; i++) {
      const seconds = retryAfterSeconds(i / 5000, 1, 4)
      counts.set(seconds, (counts.get(seconds) ?? 0) + 1)
    }
    expect([...counts]).toEqual([1, 2, 3, 4, 5].map((seconds) => [seconds, 1000]))
  })
})
