// The limit that is learnt, on simulated nodes: near all that they can do, without a queue, whatever happens to them.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { AdaptiveLimit } from '../../gateway/policy/concurrency.ts'
import { evenly, exponentially, type Second, simulate } from '../support/simulated-node.ts'
import { learning } from '../support/values.ts'

const step =
  (before: number, after: number, atMs: number) =>
  (now: number): number =>
    now < atMs ? before : after

const total = (seconds: readonly Second[], of: 'done' | 'turnedAway'): number =>
  seconds.reduce((sum, second) => sum + second[of], 0)
const worst = (seconds: readonly Second[]): number => Math.max(...seconds.map(({ p99Ms }) => p99Ms))

describe.each([
  { name: '4 slots of 40 ms', slots: 4, serviceMs: evenly(40), capacity: 100 },
  { name: 'one slot of 10 ms', slots: 1, serviceMs: evenly(10), capacity: 100 },
  { name: '16 slots of 40 ms', slots: 16, serviceMs: evenly(40), capacity: 400 },
  { name: '320 slots of 40 ms', slots: 320, serviceMs: evenly(40), capacity: 8000 },
])('a crowd of eight times what the node can do: $name', ({ slots, serviceMs, capacity }) => {
  const seconds = simulate(
    new AdaptiveLimit(learning),
    { slots, serviceMs },
    step(capacity / 3, capacity * 8, 5000),
    30,
  )

  it('is learnt within two seconds: all that the node can do is used, and it has no queue to speak of', () => {
    const after = seconds.slice(7)
    expect(total(after, 'done')).toBeGreaterThan(after.length * capacity * 0.96)
    expect(worst(after)).toBeLessThan(150)
  })
})

it('lasts: after ten minutes of a crowd the latency is no longer than after ten seconds', () => {
  const node = { slots: 4, serviceMs: evenly(40) }
  const seconds = simulate(new AdaptiveLimit(learning), node, step(40, 800, 5000), 600)
  const medians = seconds.slice(540).map(({ p50Ms }) => p50Ms)
  expect(Math.max(...medians)).toBeLessThan(130)
  expect(total(seconds.slice(10), 'done')).toBeGreaterThan(590 * 100 * 0.95)
})

it('a node whose answers vary much is used nearly as well', () => {
  const node = { slots: 16, serviceMs: exponentially(40) }
  const after = simulate(new AdaptiveLimit(learning), node, step(100, 2000, 5000), 40).slice(8)
  expect(total(after, 'done')).toBeGreaterThan(after.length * 400 * 0.9)
})

describe.each([
  { name: 'just below', share: 0.9 },
  { name: 'at', share: 1 },
  { name: 'just above', share: 1.1 },
])('a load $name the edge of what a node can do', ({ share }) => {
  const node = { slots: 4, serviceMs: evenly(40) }
  const seconds = simulate(new AdaptiveLimit(learning), node, step(40, 100 * share, 5000), 65).slice(10)

  it('finds a limit that stays, but for the moments of a probe, and a latency that is bearable', () => {
    const limits = seconds.map(({ limit }) => limit).toSorted((a, b) => a - b)
    expect(limits[3]).toBeGreaterThanOrEqual(6)
    expect(limits.at(-1)).toBeLessThanOrEqual(12)
    expect(worst(seconds)).toBeLessThan(140)
  })

  it('takes at least what chance arrivals leave of it', () => {
    expect(total(seconds, 'done')).toBeGreaterThan(seconds.length * 100 * Math.min(0.9, share * 0.9))
  })
})

it('leaves a node that scatters its answers alone while it is half busy', () => {
  const node = { slots: 16, serviceMs: exponentially(40) }
  const seconds = simulate(new AdaptiveLimit(learning), node, () => 200, 60)
  expect(total(seconds, 'turnedAway')).toBeLessThan(60 * 200 * 0.01)
})

it('lets go of what nothing has tried for long, so that the next crowd does not begin with a queue', () => {
  const limit = new AdaptiveLimit(learning)
  const node = { slots: 160, serviceMs: evenly(40) }
  const busy = simulate(limit, node, (now) => (now < 10_000 ? 4000 : 50), 70)
  expect(busy[9]?.limit).toBeGreaterThan(160)
  expect(busy.at(-1)?.limit).toBeLessThanOrEqual(learning.initial)
})

it('learns from nothing in the middle of a crowd', () => {
  const node = { slots: 4, serviceMs: evenly(40) }
  const after = simulate(new AdaptiveLimit(learning), node, () => 800, 40).slice(2)
  expect(total(after, 'done')).toBeGreaterThan(after.length * 95)
  expect(worst(after)).toBeLessThan(150)
})

it('a node that becomes three times slower for good is found out and used again', () => {
  const node = {
    slots: 16,
    serviceMs: (draw: number, now: number) => (now < 20_000 ? 40 : 120) * (0.75 + draw * 0.5),
  }
  const after = simulate(new AdaptiveLimit(learning), node, () => 2000, 80).slice(50)
  expect(total(after, 'done')).toBeGreaterThan(after.length * 133 * 0.85)
})

it('a brownout is left to others within two seconds, and is forgotten within one', () => {
  const node = {
    slots: 50,
    serviceMs: (draw: number, now: number) => (now < 10_000 || now > 20_000 ? 5 : 400) * (0.75 + draw * 0.5),
  }
  const seconds = simulate(new AdaptiveLimit(learning), node, () => 100, 30)
  expect(total(seconds.slice(0, 10), 'turnedAway')).toBe(0)
  expect(total(seconds.slice(12, 20), 'done')).toBeLessThan(8 * 100 * 0.3)
  expect(total(seconds.slice(22), 'turnedAway')).toBeLessThan(40)
})

it('turns nobody away from a node that is at ease', () => {
  const node = { slots: 64, serviceMs: exponentially(1) }
  const seconds = simulate(new AdaptiveLimit(learning), node, () => 2000, 20)
  expect(total(seconds, 'turnedAway')).toBe(0)
})

describe('refusals', () => {
  it('lower the limit once for those that came together, and bar growth until the node wants to be asked', () => {
    const limit = new AdaptiveLimit({ ...learning, initial: 20 })
    const answer = (from: number, to: number): void => {
      // Twenty at a time, each after 5 ms: four a millisecond.
      for (let now = from; now < to; now += 0.25) {
        limit.began(limit.limit, now)
        limit.answered(5, now, 0)
      }
    }
    for (let i = 0; i < 10; i++) limit.refused(20, 2000, 100 + i)
    expect(limit.limit).toBe(18)
    answer(200, 1800)
    expect(limit.limit).toBe(18)
    answer(2200, 3000)
    expect(limit.limit).toBeGreaterThan(18)
  })

  it('of the fewest requests close the node until then, for half a minute at the most', () => {
    const limit = new AdaptiveLimit(learning)
    limit.refused(1, 3_600_000, 0)
    expect(limit.isClosed(29_000)).toBe(true)
    expect(limit.isClosed(30_000)).toBe(false)
  })
})

it('stretches while nothing is known, and no more once a queue was seen', () => {
  const unknown = new AdaptiveLimit(learning)
  for (let now = 0; now <= 400; now += 10) unknown.stretch(unknown.limit, now, 0)
  expect(unknown.limit).toBeGreaterThan(100)
  const known = new AdaptiveLimit({ ...learning, initial: 20 })
  for (let now = 0; now < 1000; now += 10) known.answered(10, now, 0)
  const before = known.limit
  // Twenty open and one answered in 50 ms: a second until the last of them.
  for (let now = 1000; now < 1400; now += 50) {
    known.answered(50, now, 0)
    known.stretch(20, now, 0)
  }
  expect(known.stretch(20, 1500, 0)).toBe(false)
  expect(known.limit).toBeLessThanOrEqual(before * 1.5)
})

it('takes one late answer for a connection that had to be made, and two for a queue', () => {
  const limit = new AdaptiveLimit(learning)
  for (let now = 0; now < 1000; now += 10) limit.answered(10, now, 0)
  limit.stretch(10, 1000, 0)
  expect(limit.stretch(10, 1040, 0)).toBe(true)
  expect(limit.limit).toBe(learning.initial)
  expect(limit.stretch(10, 1080, 0)).toBe(false)
})

it('stays within its bounds, whatever it is told', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('answered' as const), ms: fc.double({ min: 0, max: 1e6, noNaN: true }) }),
    fc.record({ kind: fc.constant('refused' as const), ms: fc.nat(1e6) }),
    fc.record({ kind: fc.constant('began' as const), ms: fc.nat(1e5) }),
    fc.record({ kind: fc.constant('stretch' as const), ms: fc.nat(1e5) }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300 }), (events) => {
      const limit = new AdaptiveLimit({ ...learning, ceiling: 100 })
      let now = 0
      for (const { kind, ms } of events) {
        now += 7
        if (kind === 'answered') limit.answered(ms, now, 0)
        else if (kind === 'refused') limit.refused(ms % 50, ms, now)
        else if (kind === 'began') limit.began(ms, now)
        else limit.stretch(ms, now, 0)
        expect(limit.limit).toBeGreaterThanOrEqual(1)
        expect(limit.limit).toBeLessThanOrEqual(100)
        expect(Number.isInteger(limit.limit)).toBe(true)
      }
    }),
  )
})
