// The loop of the donors' quotas: workers say what they want, the desk divides, nobody holds what another was given.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Pledges } from '../../gateway/policy/pledges.ts'
import { QuotaDesk } from '../../gateway/workers/quota-desk.ts'
import { SharedQuotas } from '../../gateway/workers/shared-quotas.ts'
import { lapseOf, type ToldShares } from '../../gateway/workers/told-shares.ts'

/** A desk and its workers, without processes between them. */
function office(workers: number, rates: Record<string, number>) {
  return officeOf(workers, pledged(rates))
}

const told = (desk: QuotaDesk, place: number): ToldShares => ({ ...desk.tell(place), lapse: null })

const pledged = (rates: Record<string, number>): Pledges =>
  Object.fromEntries(Object.entries(rates).map(([donor, amount]) => [donor, { amount, whole: false }]))

function officeOf(workers: number, pledges: Pledges) {
  const desk = new QuotaDesk(workers, pledges)
  let now = 0
  const quotas = Array.from({ length: workers }, (_, i) => {
    desk.began(i + 1)
    return new SharedQuotas(
      told(desk, i + 1),
      (report) => desk.report(i + 1, report, now),
      1 / workers,
      () => now,
    )
  })
  return {
    desk,
    quotas,
    shares: (donor: string) => quotas.map((quota) => quota.share(donor)),
    second: (deaf: readonly number[] = []): void => {
      now += 1000
      desk.divide(now)
      for (const [i, quota] of quotas.entries()) if (!deaf.includes(i + 1)) quota.use(told(desk, i + 1))
    },
  }
}

describe('the workers of one gateway', () => {
  it('have equal parts at the start, and no bound where the donor set none', () => {
    const { shares } = office(4, { '610400': 100 })
    expect(shares('610400')).toEqual([25, 25, 25, 25])
    expect(shares('610000')).toEqual([undefined, undefined, undefined, undefined])
  })

  it('have what their residents need a second after they said so', () => {
    const { quotas, shares, second } = office(2, { '610400': 100 })
    quotas[0]?.report({ '610400': 80 }, {})
    quotas[1]?.report({}, {})
    second()
    expect(shares('610400')[0]).toBeGreaterThanOrEqual(80)
  })

  it('keep what they were given while they are silent, and it is given to nobody else', () => {
    const { quotas, shares, second } = office(2, { '610400': 100 })
    quotas[0]?.report({ '610400': 500 }, {})
    quotas[1]?.report({ '610400': 500 }, {})
    second()
    for (let i = 0; i < 10; i++) {
      quotas[0]?.report({ '610400': 500 }, {})
      second([2])
    }
    expect(shares('610400')).toEqual([50, 50])
  })

  it('leave a fair minimum to the one that follows a dead one, and have the rest', () => {
    const { desk, quotas, shares, second } = office(2, { '610400': 100 })
    desk.ended(2)
    quotas[0]?.report({ '610400': 500 }, {})
    second()
    expect(shares('610400')).toEqual([87.5, 12.5])
  })

  it('follow a pledge that changes before anybody reports', () => {
    const { desk, quotas, shares, second } = office(2, { '610400': 100 })
    quotas[0]?.report({ '610400': 500 }, {})
    quotas[1]?.report({}, {})
    second()
    desk.usePledges(pledged({ '610400': 10, '610000': 8 }))
    expect([desk.sharesOf(1), desk.sharesOf(2)]).toEqual([
      { '610400': 8.75, '610000': 4 },
      { '610400': 1.25, '610000': 4 },
    ])
    second()
    expect(shares('610000')).toEqual([4, 4])
  })

  it('have whole parts of what is lent as requests open at once, be it one for all of them', () => {
    const { desk, quotas, shares, second } = officeOf(3, { '610400': { amount: 1, whole: true } })
    expect(shares('610400')).toEqual([1, 0, 0])
    quotas[1]?.report({ '610400': 1 }, {})
    quotas[0]?.report({}, {})
    quotas[2]?.report({}, {})
    second()
    expect(shares('610400')).toEqual([0, 1, 0])
    desk.usePledges({ '610400': { amount: 7, whole: true } })
    const next = [1, 2, 3].map((place) => desk.sharesOf(place)['610400'] ?? 0)
    expect(next.filter((share) => !Number.isInteger(share))).toEqual([])
    expect(next.reduce((sum, share) => sum + share, 0)).toBe(7)
  })

  it('may be using what they were told, until they say that they have taken over less', () => {
    const { desk, quotas } = office(2, { '610400': 100 })
    for (const quota of quotas) quota.report({}, { '610400': 50 })
    expect(desk.inUse).toEqual({ '610400': 100 })
    desk.usePledges(pledged({ '610400': 20 }))
    const messages = [1, 2].map((place) => told(desk, place))
    // They have said nothing since.
    expect(desk.inUse).toEqual({ '610400': 100 })
    quotas[0]?.use(messages[0] ?? told(desk, 1))
    quotas[0]?.report({}, { '610400': 10 })
    expect(desk.inUse).toEqual({ '610400': 60 })
    desk.ended(2)
    expect(desk.inUse).toEqual({ '610400': 10 })
  })

  it('give their shares up by themselves when nobody renews the gateway’s lease', () => {
    let now = 0
    const gateway = {
      ends: { leaseAt: 1000, forgottenAt: 5000 },
      shares: () => ({ a: { amount: 80, whole: false }, b: { amount: 8, whole: true } }),
      floors: () => ({ a: 20, b: 3 }),
    }
    const shares = { a: 40, b: 4 }
    const worker = new SharedQuotas(
      { number: 1, shares, lapse: lapseOf(gateway, shares) },
      () => {},
      0,
      () => now,
    )
    const has = (): unknown[] => ['a', 'b', 'c'].map((pledge) => worker.share(pledge))
    expect(has()).toEqual([40, 4, undefined])
    now = 1000
    expect(has()).toEqual([10, 1, undefined])
    now = 5000
    expect(has()).toEqual([0, 0, undefined])
  })

  it('together never have more than the pledge, whatever they say, miss, or die of', () => {
    const step = fc.record({
      demands: fc.array(fc.option(fc.double({ min: 0, max: 1000, noNaN: true })), {
        minLength: 3,
        maxLength: 3,
      }),
      dies: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 6 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { desk, quotas, shares, second } = office(3, { a: 100 })
        for (const { demands, dies } of steps) {
          if (dies !== null) {
            desk.ended(dies)
            desk.began(dies)
            quotas[dies - 1]?.use(told(desk, dies))
          }
          for (const [i, demand] of demands.entries())
            if (demand !== null) quotas[i]?.report({ a: demand }, {})
          second()
          const sum = shares('a').reduce<number>((total, share) => total + (share ?? 0), 0)
          expect(sum).toBeLessThanOrEqual(100 + 1e-6)
        }
      }),
    )
  })
})
