// A quota is never overdrawn by who asks first, whatever the times and changes of rate, and never lost.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Donor } from '../../gateway/control/health/donor.ts'
import { RateQuota } from '../../gateway/policy/rate-quota.ts'

const rates = fc.double({ min: 0.1, max: 5000, noNaN: true })
const pauses = fc.array(fc.double({ min: 0, max: 2000, noNaN: true }), { minLength: 1, maxLength: 200 })
const burstOf = (rate: number): number => Math.max(1, rate / 10)

it('gives no more than rate times time and one burst, whenever it is asked', () => {
  fc.assert(
    fc.property(rates, pauses, (rate, times) => {
      const quota = new RateQuota(rate)
      let now = 1000
      let taken = 0
      for (const pause of times) {
        now += pause
        for (let i = 0; i < 50 && !quota.isSpent(now); i++) {
          quota.take(now)
          taken += 1
        }
        expect(taken).toBeLessThanOrEqual((rate * (now - 1000)) / 1000 + burstOf(rate) + 1e-6)
      }
    }),
  )
})

it('gives all of its rate to who asks all the time', () => {
  const quota = new RateQuota(40)
  let taken = 0
  for (let now = 0; now <= 10_000; now += 5) {
    if (quota.isSpent(now)) continue
    quota.take(now)
    taken += 1
  }
  expect(taken).toBeGreaterThanOrEqual(400)
  expect(taken).toBeLessThanOrEqual(404)
})

it.each([
  { rate: 0, spent: true },
  { rate: 0.5, spent: false },
  { rate: Infinity, spent: false },
])('a rate of $rate is spent at once: $spent', ({ rate, spent }) => {
  expect(new RateQuota(rate).isSpent(5)).toBe(spent)
})

it('what was taken beyond it is made up for first', () => {
  const quota = new RateQuota(10)
  for (let i = 0; i < 5; i++) quota.take(0)
  expect(quota.isSpent(499)).toBe(true)
  expect(quota.isSpent(501)).toBe(false)
})

it('a change of rate gives nothing for what was taken, and takes no more than a burst along', () => {
  const quota = new RateQuota(10)
  quota.take(0)
  quota.use(1000)
  expect(quota.isSpent(0)).toBe(true)
  expect(quota.isSpent(1)).toBe(false)
  quota.isSpent(10_000)
  quota.use(1)
  quota.take(10_000)
  expect(quota.isSpent(10_000)).toBe(true)
  expect(quota.isSpent(10_999)).toBe(true)
  expect(quota.isSpent(11_001)).toBe(false)
  quota.use(0)
  expect(quota.isSpent(99_999)).toBe(true)
})

it('a donor without a rate that had no share for a moment keeps to a rate that is agreed later', () => {
  const donor = new Donor({ limitRps: Infinity, limitConcurrent: 10, homeReserve: 0 })
  donor.isSpent(0)
  donor.useParts({ open: 0 })
  donor.lent(1)
  donor.gaveBack()
  donor.useParts({})
  donor.use({ limitRps: 10, limitConcurrent: Infinity, homeReserve: 0 })
  let lent = 0
  for (; lent < 100 && !donor.isSpent(2); lent++) donor.lent(2)
  expect(lent).toBeLessThanOrEqual(1)
})

it('a process that was given no place says that it wants one, and keeps to its part when the terms are taken over', () => {
  const donor = new Donor({ limitRps: 200, limitConcurrent: 6, homeReserve: 0 })
  donor.useParts({ rps: 100, open: 0 })
  expect([donor.isSpent(0), donor.takeDemand()]).toEqual([true, { rps: 0, open: 1 }])
  donor.use({ limitRps: 200, limitConcurrent: 6, homeReserve: 0 })
  expect(donor.isSpent(1)).toBe(true)
  donor.useParts({ rps: 100, open: 2 })
  donor.lent(1)
  donor.lent(1)
  expect([donor.isSpent(1), donor.takeDemand()]).toEqual([true, { rps: 2, open: 5 }])
  donor.gaveBack()
  expect([donor.isSpent(2), donor.takeDemand()]).toEqual([false, { rps: 0, open: 2 }])
})
