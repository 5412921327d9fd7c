// The gateway protects itself at once, and gives that up step by step when it has been calm for a while.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  protect,
  type ProtectionReadings,
  type ProtectionState,
  unprotected,
} from '../../gateway/policy/protection.ts'
import { protecting } from '../support/values.ts'

const calm: ProtectionReadings = { eventLoopDelayMs: 2, memoryShare: 0.2, connectionShare: 0.1 }

const after = (readings: Partial<ProtectionReadings>, from = unprotected, now = 0): ProtectionState =>
  protect(from, { ...calm, ...readings }, now, protecting)

describe('a rise', () => {
  it.each<[Partial<ProtectionReadings>, number, string]>([
    [{}, 0, 'calm'],
    [{ eventLoopDelayMs: 99 }, 0, 'calm'],
    [{ eventLoopDelayMs: 100 }, 1, 'event-loop'],
    [{ eventLoopDelayMs: 2999 }, 2, 'event-loop'],
    [{ eventLoopDelayMs: 3000 }, 3, 'event-loop'],
    [{ memoryShare: 0.74 }, 0, 'calm'],
    [{ memoryShare: 0.86 }, 2, 'memory'],
    [{ memoryShare: 1.4 }, 3, 'memory'],
    [{ connectionShare: 0.75 }, 1, 'connections'],
    [{ connectionShare: 0.99 }, 2, 'connections'],
    [{ connectionShare: 1 }, 3, 'connections'],
    [{ connectionShare: 0.95, memoryShare: 0.8 }, 2, 'connections'],
    [{ eventLoopDelayMs: 500, memoryShare: 0.9 }, 2, 'memory'],
    [{ eventLoopDelayMs: Number.NaN, memoryShare: Number.NaN }, 0, 'calm'],
  ])('by %j is to %d, by the %s', (readings, level, reason) => {
    expect(after(readings)).toMatchObject({ level, reason })
  })

  it('to a level that can never be demanded does not happen', () => {
    const never = { ...protecting, eventLoopDelayMs: { eased: 100, shedding: 400, closed: Infinity } }
    expect(protect(unprotected, { ...calm, eventLoopDelayMs: 60_000 }, 0, never).level).toBe(2)
  })
})

describe('a fall', () => {
  const shedding = after({ memoryShare: 0.86 })

  it('waits for calm, then goes by one level, then waits again', () => {
    let state = after({}, shedding, 1000)
    expect(state).toEqual({ level: 2, reason: 'memory', calmSince: 1000 })
    state = after({}, state, 5999)
    expect(state.level).toBe(2)
    state = after({}, state, 6000)
    expect(state).toEqual({ level: 1, reason: 'calm', calmSince: 6000 })
    state = after({}, state, 10_999)
    expect(state.level).toBe(1)
    expect(after({}, state, 11_000)).toEqual({ level: 0, reason: 'calm', calmSince: null })
  })

  it('does not happen between the thresholds, and a single such reading starts the wait again', () => {
    let state = after({}, shedding, 1000)
    state = after({ memoryShare: 0.7 }, state, 4000)
    expect(state.calmSince).toBeNull()
    state = after({}, state, 4250)
    expect(after({}, state, 6000).level).toBe(2)
    expect(after({}, state, 9250).level).toBe(1)
  })

  it('to a level that is still demanded goes no further', () => {
    let state = after({ memoryShare: 0.65 }, shedding, 1000)
    state = after({ memoryShare: 0.65 }, state, 6000)
    expect(state).toEqual({ level: 1, reason: 'calm', calmSince: null })
    expect(after({ memoryShare: 0.65 }, state, 60_000).level).toBe(1)
  })

  it('is interrupted by a new rise at once', () => {
    const state = after({}, shedding, 1000)
    expect(after({ connectionShare: 1 }, state, 1250)).toEqual({
      level: 3,
      reason: 'connections',
      calmSince: null,
    })
  })
})

const reading = fc.record({
  eventLoopDelayMs: fc.oneof(
    fc.double({ min: 0, max: 5000, noNaN: true }),
    fc.constantFrom(80, 100, 320, 400),
  ),
  memoryShare: fc.double({ min: 0, max: 1.2, noNaN: true }),
  connectionShare: fc.double({ min: 0, max: 1, noNaN: true }),
})
const step = fc.record({ waitMs: fc.integer({ min: 1, max: 4000 }), readings: reading })
const steps = fc.array(step, { maxLength: 40 })

describe('whatever is read', () => {
  it('never falls by two levels, and never sooner than calm allows', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let [state, now, changedAt] = [unprotected, 0, 0]
        for (const { waitMs, readings } of all) {
          now += waitMs
          const next = protect(state, readings, now, protecting)
          expect(next.level).toBeGreaterThanOrEqual(state.level - 1)
          if (next.level < state.level) expect(now - changedAt).toBeGreaterThanOrEqual(protecting.calmMs)
          if (next.level !== state.level) changedAt = now
          state = next
        }
      }),
    )
  })

  it('worse readings all along never give a lower level', () => {
    const worse = fc.record({ delay: fc.nat(1000), memory: fc.nat(30), connections: fc.nat(30) })
    fc.assert(
      fc.property(fc.array(fc.tuple(step, worse), { maxLength: 40 }), (all) => {
        let [better, bad, now] = [unprotected, unprotected, 0]
        for (const [{ waitMs, readings }, by] of all) {
          now += waitMs
          better = protect(better, readings, now, protecting)
          const more = {
            eventLoopDelayMs: readings.eventLoopDelayMs + by.delay,
            memoryShare: readings.memoryShare + by.memory / 100,
            connectionShare: readings.connectionShare + by.connections / 100,
          }
          bad = protect(bad, more, now, protecting)
          expect(bad.level).toBeGreaterThanOrEqual(better.level)
        }
      }),
    )
  })

  it('refuses connections only for memory, connections or an extreme delay', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let [state, now] = [unprotected, 0]
        for (const { waitMs, readings } of all) {
          now += waitMs
          const before = state.level
          state = protect(state, readings, now, protecting)
          if (before === 3 || state.level !== 3) continue
          const { eventLoopDelayMs, memoryShare, connectionShare } = readings
          expect(eventLoopDelayMs >= 3000 || memoryShare >= 0.93 || connectionShare >= 1).toBe(true)
        }
      }),
    )
  })

  it('is back to normal after three times the wait in calm', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let [state, now] = [unprotected, 0]
        for (const { waitMs, readings } of all) state = protect(state, readings, (now += waitMs), protecting)
        for (let i = 0; i <= 3 * 20; i++) state = protect(state, calm, (now += 250), protecting)
        expect(state.level).toBe(0)
      }),
    )
  })
})
