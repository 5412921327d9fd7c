// Several workers' readings of the same nodes and homes become one gateway's.
import { describe, expect, it } from '@jest/globals'
import { mergeReadings } from '../../gateway/policy/merge-readings.ts'
import type { NodeReadings } from '../../gateway/model/readings.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'
import { regionId } from '../../gateway/model/ids.ts'

const asked = { of: 3, missing: [] }

const node = (...changes: Partial<NodeReadings>[]): NodeReadings | undefined =>
  mergeReadings(
    changes.map((change) => reads([nodeReads('xian-1', '610100', change)])),
    asked,
  )?.nodes[0]

describe('a node', () => {
  it('has the sum of its open requests, limits and rates', () => {
    expect(
      node(
        { inFlight: 2, limit: 10, rps: 5 },
        { inFlight: 3, limit: 11, rps: 6 },
        { inFlight: 0, limit: 12 },
      ),
    ).toMatchObject({ inFlight: 5, limit: 33, rps: 11, knownLimit: 30 })
  })

  it('is as known as what the least knowing worker knows', () => {
    expect(node({}, { knownLimit: null, limitBasis: 'unproven' })).toMatchObject({
      knownLimit: null,
      limitBasis: 'unproven',
    })
  })

  it('has the state that most workers see, and the words that go with it', () => {
    const down = { health: 'down', healthDetail: 'refused' } as const
    expect(node(down, {}, {})).toMatchObject({ health: 'up', healthDetail: '', serving: 'ok' })
    expect(node({}, down, down)).toMatchObject({
      health: 'down',
      healthDetail: 'refused',
      serving: 'unhealthy',
    })
  })

  it('is in the worse of two states that as many see', () => {
    expect(node({ breaker: 'open' }, {})).toMatchObject({ breaker: 'open', serving: 'breaker-open' })
    expect(node({ quotaSpent: true }, {})).toMatchObject({ serving: 'ok', lending: 'quota-spent' })
    expect(node({ silentOverdue: 3 }, { silentOverdue: 0 }, { silentOverdue: 0 })?.serving).toBe('ok')
    expect(node({ silentOverdue: 3 }, { silentOverdue: 4 }, { silentOverdue: 0 })?.serving).toBe('stalled')
  })

  it('is full only when what all may send it is used up', () => {
    expect(node({ inFlight: 10, serving: 'full' }, {})?.serving).toBe('ok')
    expect(node({ inFlight: 10 }, { inFlight: 10 })?.serving).toBe('full')
  })

  it('has a mean weighted by traffic and the highest p99', () => {
    const merged = node(
      { meanMs: 10, rps: 30, p99Ms: 20 },
      { meanMs: 50, rps: 10, p99Ms: 90 },
      { meanMs: null },
    )
    expect(merged?.meanMs).toBeCloseTo(20)
    expect(merged?.p99Ms).toBe(90)
    expect(node({ meanMs: null, p99Ms: null }, { meanMs: null, p99Ms: null })).toMatchObject({
      meanMs: null,
      p99Ms: null,
    })
  })
})

it('a home has the sum of its rates, level by level', () => {
  const borrowed = { level: 'neighbour', region: regionId('610400'), rps: 30 } as const
  const merged = mergeReadings(
    [
      reads([], [homeReads('610100', 10, { errorsPerSecond: 1 })]),
      reads([], [homeReads('610100', 50, { byLevel: [borrowed], shedPerSecond: 2 }), homeReads('610400', 1)]),
    ],
    asked,
  )
  expect(merged?.homes).toEqual([
    {
      home: '610100',
      rps: 60,
      byLevel: [borrowed, { level: 'local', region: '610100', rps: 10 }],
      errorsPerSecond: 1,
      shedPerSecond: 2,
    },
    homeReads('610400', 1),
  ])
})

it('the gateway says who is missing, and the worst that any worker says', () => {
  const loss = { since: 5, detail: 'disk' }
  const merged = mergeReadings(
    [
      reads([], [], { protection: 'eased', snapshotVersion: 4 }),
      reads([], [], { registryLost: loss, mode: 'emergency' }),
    ],
    { of: 3, missing: [2] },
  )
  expect(merged?.gateway).toMatchObject({
    protection: 'eased',
    snapshotVersion: 4,
    registryLost: loss,
    mode: 'emergency',
    workers: { ready: 2, of: 3, missing: [2] },
  })
  expect(mergeReadings([], asked)).toBeNull()
})
