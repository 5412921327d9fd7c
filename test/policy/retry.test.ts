// What may be sent twice, and how many extra attempts are afforded.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Budget, isRepeatable } from '../../gateway/policy/retry.ts'

it.each([
  ['GET', false, true],
  ['HEAD', false, true],
  ['PUT', false, true],
  ['DELETE', false, true],
  ['QUERY', false, true],
  ['POST', false, false],
  ['PATCH', false, false],
  ['POST', true, true],
])('%s with an idempotency key %s is repeatable: %s', (method, hasKey, repeatable) => {
  expect(isRepeatable(method, hasKey)).toBe(repeatable)
})

describe('the budget', () => {
  const taken = (budget: Budget, now: number, tries: number): number =>
    Array.from({ length: tries }, () => budget.take(now)).filter(Boolean).length

  it('affords the floor when nothing was asked', () => {
    expect(taken(new Budget(0.2, 10), 5000, 1000)).toBe(100)
  })

  it('affords a share of what was asked', () => {
    const budget = new Budget(0.2, 0)
    for (let i = 0; i < 1000; i++) budget.deposit(1000)
    expect(taken(budget, 1000, 1000)).toBe(200)
  })

  it('forgets after ten seconds', () => {
    const budget = new Budget(0.2, 0)
    for (let i = 0; i < 100; i++) budget.deposit(1000)
    expect(taken(budget, 1000, 5)).toBe(5)
    expect(taken(budget, 11_500, 100)).toBe(0)
    for (let i = 0; i < 100; i++) budget.deposit(11_500)
    expect(taken(budget, 11_500, 100)).toBe(20)
  })

  it('never gives more than its share of any ten seconds, whatever the order of events', () => {
    const step = fc.record({ waitMs: fc.nat(1500), asks: fc.nat(50), takes: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new Budget(0.2, 2)
        const log: { at: number; asks: number; got: number }[] = []
        let now = 0
        for (const { waitMs, asks, takes } of steps) {
          now += waitMs
          for (let i = 0; i < asks; i++) budget.deposit(now)
          log.push({ at: now, asks, got: taken(budget, now, takes) })
        }
        const recent = log.filter(({ at }) => at > now - 9000)
        const got = recent.reduce((sum, entry) => sum + entry.got, 0)
        const asked = log.filter(({ at }) => at > now - 20_000).reduce((sum, entry) => sum + entry.asks, 0)
        expect(got).toBeLessThanOrEqual(0.2 * asked + 40)
      }),
    )
  })
})
