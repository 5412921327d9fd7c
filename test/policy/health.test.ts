// Probes as a state machine, the pauses between them, ramps and hedge delays.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hedgeDelayMs, sharedPatienceMs } from '../../gateway/policy/hedging.ts'
import { afterProbe, nextProbeInMs, type ProbeState, unprobed } from '../../gateway/policy/health.ts'
import { rampShare } from '../../gateway/policy/slow-start.ts'

const settings = {
  intervalMs: 2000,
  fastIntervalMs: 500,
  downIntervalMs: 1000,
  rise: 2,
  fall: 3,
  jitter: 0.1,
}
const after = (results: string): ProbeState =>
  [...results].reduce<ProbeState>((state, result) => afterProbe(state, result === '+', settings), unprobed)

describe('probes (+ good, - bad)', () => {
  it.each([
    { results: '', health: 'unknown' },
    { results: '+', health: 'up' },
    { results: '-', health: 'down' },
    { results: '+--', health: 'up' },
    { results: '+---', health: 'down' },
    { results: '+--+--', health: 'up' },
    { results: '-+', health: 'down' },
    { results: '-++', health: 'up' },
    { results: '-+-+', health: 'down' },
  ])('"$results" is $health', ({ results, health }) => {
    expect(after(results).health).toBe(health)
  })

  it.each([
    { name: 'slowly while surely up', results: '++', pause: 2000 },
    { name: 'fast while in transition down', results: '+-', pause: 500 },
    { name: 'fast while in transition up', results: '-+', pause: 500 },
    { name: 'at the down pace while surely down', results: '--', pause: 1000 },
  ])('asks $name', ({ results, pause }) => {
    expect(nextProbeInMs(after(results), settings, 0.5)).toBe(pause)
  })

  it('spreads pauses by no more than the jitter', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (draw) => {
        const pause = nextProbeInMs(after('++'), settings, draw)
        return pause >= 1800 && pause <= 2200
      }),
    )
  })
})

it.each([
  [0, 0.1],
  [500, 0.1],
  [5000, 0.5],
  [9999, 0.9999],
  [10_000, 1],
  [1e9, 1],
])('%d ms after its return a node takes the share %d', (sinceMs, share) => {
  expect(rampShare(sinceMs, { windowMs: 10_000, initialShare: 0.1 })).toBeCloseTo(share)
})

it('a slow start of 0 ms gives everything at once', () => {
  expect(rampShare(0, { windowMs: 0, initialShare: 0.1 })).toBe(1)
})

it.each([
  { name: 'its own p99', p99: 42.2, samples: 1000, delay: 43 },
  { name: 'at least the minimum', p99: 0.5, samples: 1000, delay: 10 },
  { name: 'at most the maximum', p99: 900, samples: 1000, delay: 100 },
  { name: 'the maximum while little is known', p99: 3, samples: 10, delay: 100 },
])('a hedge waits for $name', ({ p99, samples, delay }) => {
  expect(hedgeDelayMs(p99, samples, { minDelayMs: 10, maxDelayMs: 100, minSamples: 50 })).toBe(delay)
})

it.each([
  { name: 'its own p99, however long', p99: 900.2, samples: 3, patience: 901 },
  { name: 'at least the minimum', p99: 0.5, samples: 1000, patience: 10 },
  { name: 'three delays where nothing is known', p99: 0, samples: 0, patience: 300 },
])('an answer that several wait for is given $name', ({ p99, samples, patience }) => {
  const settings = { minDelayMs: 10, maxDelayMs: 100, minSamples: 50 }
  expect(sharedPatienceMs(p99, samples, settings)).toBe(patience)
})
