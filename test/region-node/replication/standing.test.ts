// Whether a copy may stand in: how far behind it is while home answers, how far it was when home fell silent, how old it is.
import { expect, it } from '@jest/globals'
import { standingOf } from '../../../region-node/replication/standing.ts'
import type { CopyFacts } from '../../../region-node/replication/standing.ts'

const now = Date.UTC(2026, 0, 5)
const terms = {
  id: 'a',
  fields: [],
  rpoSeconds: 2,
  maxAgeSeconds: 3_600,
  fromMs: now - 86_400_000,
  untilMs: now + 86_400_000,
}
const followed: CopyFacts = {
  region: '610100',
  terms,
  whole: true,
  currentAtMs: now - 300,
  inContact: true,
  heardAtMs: now,
  fault: undefined,
}
/** Home was well followed, and then said no more. */
const silent = (forMs: number, behindMs = 300): Partial<CopyFacts> => ({
  inContact: false,
  heardAtMs: now - forMs,
  currentAtMs: now - forMs - behindMs,
})

it.each<{ name: string; facts: Partial<CopyFacts>; fault: RegExp | null; freshness: string }>([
  { name: 'followed within the RPO', facts: {}, fault: null, freshness: 'replica' },
  { name: 'at the RPO', facts: { currentAtMs: now - 2_000 }, fault: null, freshness: 'replica' },
  { name: 'behind it', facts: { currentAtMs: now - 2_001 }, fault: /2001 ms behind/, freshness: 'stale' },
  { name: 'of a home that fell silent just now', facts: silent(1_000), fault: null, freshness: 'replica' },
  { name: 'of a home silent for half an hour', facts: silent(1_800_000), fault: null, freshness: 'stale' },
  {
    name: 'behind when home fell silent',
    facts: silent(60_000, 5_000),
    fault: /5000 ms behind/,
    freshness: 'stale',
  },
  {
    name: 'of a home silent for too long',
    facts: silent(3_600_000),
    fault: /3600300 ms old/,
    freshness: 'stale',
  },
  { name: 'not whole', facts: { whole: false, fault: 'x' }, fault: /not whole yet: x/, freshness: 'stale' },
  { name: 'without terms', facts: { terms: undefined }, fault: /not whole/, freshness: 'stale' },
  {
    name: 'whose agreement has ended',
    facts: { terms: { ...terms, untilMs: now } },
    fault: /agreement a has ended/,
    freshness: 'replica',
  },
  {
    name: 'whose agreement has not begun',
    facts: { terms: { ...terms, fromMs: now + 1 } },
    fault: /agreement a has not begun/,
    freshness: 'replica',
  },
  {
    name: 'of a clock that was set back',
    facts: { currentAtMs: now + 500 },
    fault: null,
    freshness: 'replica',
  },
])('a copy $name', ({ facts, fault, freshness }) => {
  const standing = standingOf({ ...followed, ...facts }, now)
  expect(standing.freshness).toBe(freshness)
  if (fault === null) expect(standing.fault).toBeNull()
  else expect(standing.fault).toMatch(fault)
  expect(standing.lagMs).toBeGreaterThanOrEqual(0)
})
