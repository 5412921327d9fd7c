// How a pledge is divided: never too much, nobody starved, nobody short while another has more than it wants.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { divide, divideWhole, minimumPart } from '../../gateway/policy/quota.ts'

const amount = fc.double({ min: 0, max: 1e6, noNaN: true })
const demands = fc.array(amount, { minLength: 1, maxLength: 12 })
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const tolerance = 1e-6

describe('divide', () => {
  it.each([
    { name: 'equal parts where nobody asked', pledge: 100, wanted: [0, 0], shares: [50, 50] },
    { name: 'headroom in equal parts where it suffices', pledge: 100, wanted: [40, 20], shares: [60, 40] },
    { name: 'what one leaves to one who wants more', pledge: 100, wanted: [0, 500], shares: [12.5, 87.5] },
    {
      name: 'in proportion to what is wanted beyond the minimum',
      pledge: 80,
      wanted: [110, 60],
      shares: [50, 30],
    },
    { name: 'nothing of nothing', pledge: 0, wanted: [5, 5], shares: [0, 0] },
    { name: 'nothing of less than nothing', pledge: -5, wanted: [5], shares: [0] },
    { name: 'all to the only one', pledge: 7, wanted: [1], shares: [7] },
    { name: 'nobody, nothing', pledge: 7, wanted: [], shares: [] },
  ])('$name', ({ pledge, wanted, shares }) => {
    const got = divide(pledge, wanted)
    expect(got).toHaveLength(shares.length)
    for (const [i, share] of shares.entries()) expect(got[i]).toBeCloseTo(share, 6)
  })

  it('gives the pledge away, all of it and no more, and everybody a fair minimum', () => {
    fc.assert(
      fc.property(amount, demands, (pledge, wanted) => {
        const shares = divide(pledge, wanted)
        expect(Math.abs(sum(shares) - pledge)).toBeLessThanOrEqual(tolerance * Math.max(1, pledge))
        for (const share of shares) {
          expect(share).toBeGreaterThanOrEqual((pledge / wanted.length) * minimumPart * (1 - tolerance))
        }
      }),
    )
  })

  it('leaves nobody short while another has more than it wants and its minimum', () => {
    fc.assert(
      fc.property(amount, demands, (pledge, wanted) => {
        const shares = divide(pledge, wanted)
        const minimum = (pledge / wanted.length) * minimumPart
        const slack = tolerance * Math.max(1, pledge)
        const somebodyShort = shares.some((share, i) => share < (wanted[i] ?? 0) - slack)
        if (!somebodyShort) return
        for (const [i, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(Math.max(minimum, wanted[i] ?? 0) + slack)
        }
      }),
    )
  })

  it('never gives less to one who wants more, and does not look at the order', () => {
    fc.assert(
      fc.property(amount, demands, amount, fc.nat(), (pledge, wanted, more, at) => {
        const who = at % wanted.length
        const shares = divide(pledge, wanted)
        const raised = divide(
          pledge,
          wanted.map((demand, i) => (i === who ? demand + more : demand)),
        )
        const slack = tolerance * Math.max(1, pledge)
        expect(raised[who]).toBeGreaterThanOrEqual((shares[who] ?? 0) - slack)
        const turned = divide(pledge, wanted.toReversed()).toReversed()
        for (const [i, share] of shares.entries())
          expect(Math.abs((turned[i] ?? 0) - share)).toBeLessThanOrEqual(slack)
      }),
    )
  })

  it('takes demands that are no numbers for none', () => {
    expect(divide(100, [Number.NaN, -3])).toEqual([50, 50])
    expect(sum(divide(100, [Infinity, Infinity]))).toBeCloseTo(100)
  })
})

describe('divideWhole', () => {
  it('gives away the whole part of the pledge in whole shares, near the exact ones, and one to each who wants any', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 10_000, noNaN: true }), demands, (pledge, wanted) => {
        const shares = divideWhole(pledge, wanted)
        expect(sum(shares)).toBe(Math.floor(pledge))
        const exact = divide(Math.floor(pledge), wanted)
        for (const [i, share] of shares.entries()) {
          expect(Number.isInteger(share) && share >= 0).toBe(true)
          // Whoever has more than one may have given some to those who would have had none.
          expect(share).toBeLessThanOrEqual((exact[i] ?? 0) + 1 + tolerance)
          if (share === 0) expect(exact[i] ?? 0).toBeLessThanOrEqual(1 + tolerance)
        }
        const wanting = wanted.filter((demand) => demand > 0).length
        if (wanting <= Math.floor(pledge)) {
          for (const [i, share] of shares.entries())
            if ((wanted[i] ?? 0) > 0) expect(share).toBeGreaterThan(0)
        }
        expect(divideWhole(pledge, wanted)).toEqual(shares)
      }),
    )
  })

  it.each([
    { pledge: 3, wanted: [0, 0], shares: [2, 1] },
    { pledge: 1, wanted: [0, 0, 0], shares: [1, 0, 0] },
    { pledge: 5, wanted: [], shares: [] },
    { pledge: 6, wanted: [100, 1], shares: [5, 1] },
    { pledge: 4, wanted: [1000, 1, 1, 1], shares: [1, 1, 1, 1] },
    { pledge: 2, wanted: [9, 0, 1], shares: [1, 0, 1] },
  ])('$pledge among $wanted', ({ pledge, wanted, shares }) => {
    expect(divideWhole(pledge, wanted)).toEqual(shares)
  })

  it('lets those take turns who want one where there are too few', () => {
    const had = [0, 0, 0]
    for (let turn = 0; turn < 30; turn++) {
      for (const [i, share] of divideWhole(2, [5, 5, 5], turn).entries()) had[i] = (had[i] ?? 0) + share
    }
    expect(had).toEqual([20, 20, 20])
  })
})
