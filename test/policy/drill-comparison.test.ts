// Two drills compared: noise is no change, what can't be compared is not judged, and what is better one way is worse the other.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { DrillEnding } from '../../gateway/model/drill.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { comparisonOf, type FigureName, type Judgement } from '../../gateway/policy/drill-comparison.ts'
import { comparisonMarkdown } from '../../gateway/policy/drill-comparison-tables.ts'
import type { DrillReport, GroupSummary } from '../../gateway/policy/drill-report.ts'
import { aReport, aSummary } from '../support/drill-reports.ts'

type Bits = Partial<Omit<GroupSummary, 'underFault'>> & { underFault?: Partial<GroupSummary['underFault']> }
const cohort = (bits: Bits): Partial<DrillReport> => ({ cohort: aSummary(bits) })
const times = (bits: Partial<DrillReport['times']>): Partial<DrillReport> => ({
  times: { ...aReport().times, ...bits },
})
const errors = (hits: number, of: number): Bits => ({
  underFault: { requests: of, errors: hits, errorShare: hits / of },
})

const judged = (
  before: Partial<DrillReport>,
  after: Partial<DrillReport>,
  name: FigureName,
): Judgement | undefined =>
  comparisonOf(aReport(before), aReport(after)).figures.find((one) => one.name === name)?.judgement

it.each<{
  what: string
  before: Partial<DrillReport>
  after: Partial<DrillReport>
  name: FigureName
  is: Judgement
}>([
  {
    what: '200 ms later',
    before: times({ detectMs: 400 }),
    after: times({ detectMs: 600 }),
    name: 'detectMs',
    is: 'same',
  },
  {
    what: '201 ms later',
    before: times({ detectMs: 400 }),
    after: times({ detectMs: 601 }),
    name: 'detectMs',
    is: 'worse',
  },
  {
    what: 'sooner',
    before: times({ shiftMs: 900 }),
    after: times({ shiftMs: 300 }),
    name: 'shiftMs',
    is: 'better',
  },
  {
    what: 'at last',
    before: times({ recoverMs: null }),
    after: times({ recoverMs: 9000 }),
    name: 'recoverMs',
    is: 'better',
  },
  {
    what: 'never any more',
    before: times({ recoverMs: 9000 }),
    after: times({ recoverMs: null }),
    name: 'recoverMs',
    is: 'worse',
  },
  {
    what: 'cut short before it could recover',
    before: times({ recoverMs: 9000 }),
    after: { ...times({ recoverMs: null }), verdict: 'ended-early' },
    name: 'recoverMs',
    is: 'unknown',
  },
  {
    what: 'served elsewhere by nobody',
    before: times({ firstElsewhereMs: 10 }),
    after: times({ firstElsewhereMs: null }),
    name: 'firstElsewhereMs',
    is: 'unknown',
  },
  // 2 ** (1 / 8) is one step of the histogram.
  {
    what: 'one step',
    before: cohort({ underFault: { p99Ms: 100 } }),
    after: cohort({ underFault: { p99Ms: 109.05 } }),
    name: 'p99Ms',
    is: 'same',
  },
  {
    what: 'two steps',
    before: cohort({ underFault: { p99Ms: 100 } }),
    after: cohort({ underFault: { p99Ms: 118.92 } }),
    name: 'p99Ms',
    is: 'worse',
  },
  {
    what: 'two steps less',
    before: cohort({ underFault: { p50Ms: 118.92 } }),
    after: cohort({ underFault: { p50Ms: 100 } }),
    name: 'p50Ms',
    is: 'better',
  },
  // Cohort 100 less control 90: each may be a step off, 17 ms in all.
  {
    what: 'a difference of two rough figures',
    before: { ...cohort({ underFault: { p99Ms: 100 } }), control: aSummary({ underFault: { p99Ms: 90 } }) },
    after: { ...cohort({ underFault: { p99Ms: 100 } }), control: aSummary({ underFault: { p99Ms: 83 } }) },
    name: 'addedP99Ms',
    is: 'same',
  },
  // By hand: pooled 3 of 200; 2 * sqrt(0.015 * 0.985 * 0.02) = 0.034.
  {
    what: 'one or two of a hundred',
    before: cohort(errors(1, 100)),
    after: cohort(errors(2, 100)),
    name: 'errorShare',
    is: 'same',
  },
  {
    what: '1 % or 2 % of ten thousand',
    before: cohort(errors(100, 10_000)),
    after: cohort(errors(200, 10_000)),
    name: 'errorShare',
    is: 'worse',
  },
  {
    what: 'less than anybody sees',
    before: cohort(errors(0, 1e7)),
    after: cohort(errors(5000, 1e7)),
    name: 'errorShare',
    is: 'same',
  },
  {
    what: 'no errors any more',
    before: cohort(errors(50, 1000)),
    after: cohort(errors(0, 1000)),
    name: 'addedErrorShare',
    is: 'better',
  },
  {
    what: 'more retries',
    before: cohort({ requests: 1000, retries: 10 }),
    after: cohort({ requests: 1000, retries: 300 }),
    name: 'retries',
    is: 'worse',
  },
  {
    what: 'fewer hedges',
    before: cohort({ requests: 1000, hedges: 90 }),
    after: cohort({ requests: 2000, hedges: 20 }),
    name: 'hedges',
    is: 'better',
  },
  {
    what: 'fewer last good answers',
    before: cohort({ requests: 1000, lastGood: 90 }),
    after: cohort({ requests: 1000 }),
    name: 'lastGood',
    is: 'better',
  },
  {
    what: 'as many turned away',
    before: cohort({ requests: 1000, shed: 20 }),
    after: cohort({ requests: 1000, shed: 25 }),
    name: 'shed',
    is: 'same',
  },
  {
    what: 'no request',
    before: cohort({ underFault: { requests: 0, p99Ms: null } }),
    after: {},
    name: 'p99Ms',
    is: 'unknown',
  },
])('$what: $name is $is', ({ before, after, name, is }) => {
  expect(judged(before, after, name)).toBe(is)
})

describe('what was not alike', () => {
  it.each<{ name: string; changes: Partial<DrillReport>; effect: 'breaks' | 'shades' }>([
    { name: 'fault', changes: { fault: { kind: 'latency', ms: 300, jitterMs: 0 } }, effect: 'breaks' },
    {
      name: 'homes',
      changes: { scope: { ...aReport().scope, homes: [regionId('610400')] } },
      effect: 'breaks',
    },
    { name: 'targets', changes: { scope: { ...aReport().scope, levels: ['province'] } }, effect: 'breaks' },
    { name: 'cohort', changes: { cohortShare: 0.5 }, effect: 'shades' },
    { name: 'seconds', changes: { seconds: 120 }, effect: 'shades' },
    { name: 'ran', changes: { timeline: { faultOn: 6000, faultOff: 20_000 } }, effect: 'shades' },
    { name: 'evidence', changes: { verdict: 'interrupted' }, effect: 'shades' },
    {
      name: 'objectives',
      changes: { objectives: [{ objective: 'detectMs', bound: 1, measured: 400, met: false }] },
      effect: 'shades',
    },
  ])('$name $effect it', ({ name, changes, effect }) => {
    const { differences, isComparable, figures, verdict } = comparisonOf(aReport(), aReport(changes))
    expect(differences).toContainEqual(expect.objectContaining({ name, effect }))
    expect(isComparable).toBe(effect === 'shades')
    if (effect === 'shades') return
    expect([...new Set(figures.map(({ judgement }) => judgement)), verdict]).toEqual(['unknown', 'unknown'])
    // Shown all the same.
    expect(figures.find((one) => one.name === 'detectMs')).toMatchObject({ before: 400, after: 400 })
  })

  it('is said of traffic that is another', () => {
    const many = cohort({ underFault: { requests: 10_000 } })
    expect(comparisonOf(aReport(), aReport(many)).differences).toMatchObject([
      { name: 'traffic', effect: 'shades', before: '100 rps', after: '250 rps' },
    ])
  })

  it('is not the order in which things are named', () => {
    const scope = { homes: [regionId('610100'), regionId('610400')], regions: [], nodes: [], levels: [] }
    const turned = { ...scope, homes: scope.homes.toReversed() }
    expect(comparisonOf(aReport({ scope }), aReport({ scope: turned })).differences).toEqual([])
  })
})

it('objectives, levels and donors stand beside each other, also where one side has none', () => {
  const detect = { objective: 'detectMs', bound: 500, measured: 600, met: false } as const
  const before = aReport({
    verdict: 'failed',
    objectives: [detect],
    donors: [{ region: regionId('610400'), peakRps: 10, peakUse: 0.4 }],
    cohort: aSummary({ requests: 1000, byLevel: [{ level: 'neighbour 610400', requests: 1000 }] }),
  })
  const after = aReport({
    objectives: [
      { ...detect, measured: 300, met: true },
      { objective: 'shiftMs', bound: 900, measured: 800, met: true },
    ],
    donors: [
      { region: regionId('610400'), peakRps: 30, peakUse: 0.9 },
      { region: regionId('610000'), peakRps: 5, peakUse: null },
    ],
    cohort: aSummary({
      requests: 1000,
      byLevel: [
        { level: 'neighbour 610400', requests: 600 },
        { level: 'province 610000', requests: 400 },
      ],
    }),
  })
  expect(comparisonOf(before, after)).toMatchObject({
    verdict: 'better',
    objectives: [
      { objective: 'detectMs', metBefore: false, metAfter: true, judgement: 'better' },
      { objective: 'shiftMs', boundBefore: null, metAfter: true, judgement: 'unknown' },
    ],
    levels: [
      { level: 'neighbour 610400', before: 1, after: 0.6, judgement: 'changed' },
      { level: 'province 610000', before: 0, after: 0.4, judgement: 'changed' },
    ],
    donors: [
      { region: '610400', rpsBefore: 10, rpsAfter: 30, judgement: 'worse' },
      { region: '610000', rpsBefore: null, rpsAfter: 5, judgement: 'same' },
    ],
  })
})

describe('of any two reports', () => {
  const orNull = (max: number) => fc.option(fc.double({ min: 0, max, noNaN: true }))
  const summary = fc
    .record({
      requests: fc.nat(5000),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      each: fc.array(fc.nat(5000), { minLength: 4, maxLength: 4 }),
      quantiles: fc.array(orNull(60_000), { minLength: 3, maxLength: 3 }),
      levels: fc.uniqueArray(fc.constantFrom('local 610100', 'neighbour 610400', 'none')),
    })
    .map(({ requests, share, each, quantiles, levels }) => {
      const errors = Math.floor(share * requests)
      const [retries = 0, hedges = 0, lastGood = 0, shed = 0] = each
      const [p50Ms = null, p95Ms = null, p99Ms = null] = quantiles
      return aSummary({
        requests,
        retries,
        hedges,
        lastGood: Math.min(lastGood, requests),
        shed: Math.min(shed, requests),
        byLevel: levels.map((level) => ({ level, requests: Math.floor(requests / levels.length) })),
        underFault: {
          requests,
          errors,
          errorShare: requests === 0 ? 0 : errors / requests,
          p50Ms,
          p95Ms,
          p99Ms,
        },
      })
    })
  const report = fc
    .record({
      cohort: summary,
      control: summary,
      verdict: fc.constantFrom('passed', 'failed', 'ended-early', 'interrupted', 'no-traffic'),
      ending: fc.constantFrom<DrillEnding>('time', 'errors', 'owner'),
      detectMs: orNull(9000),
      shiftMs: orNull(9000),
      recoverMs: orNull(90_000),
      firstElsewhereMs: orNull(9000),
      seconds: fc.constantFrom(60, 60, 60, 120),
      kind: fc.constantFrom('refuse', 'refuse', 'refuse', 'refuse', 'trip'),
      peakUse: orNull(1),
      met: fc.boolean(),
    })
    .map(({ detectMs, shiftMs, recoverMs, firstElsewhereMs, ending, kind, peakUse, met, ...rest }) =>
      aReport({
        ...rest,
        fault: { kind },
        run: { ...aReport().run, ending },
        times: { detectMs, shiftMs, recoverMs, firstElsewhereMs },
        donors: [{ region: regionId('610400'), peakRps: 1, peakUse }],
        objectives: [{ objective: 'detectMs', bound: 500, measured: detectMs, met }],
      }),
    )
  const allOf = (of: ReturnType<typeof comparisonOf>) => [
    of.verdict,
    ...[...of.figures, ...of.levels, ...of.donors, ...of.objectives].map(({ judgement }) => judgement),
  ]

  it('one is the same as itself everywhere', () => {
    fc.assert(
      fc.property(report, (one) => {
        const comparison = comparisonOf(one, one)
        expect(comparison.differences).toEqual([])
        expect(new Set(allOf(comparison))).toEqual(new Set(['same']))
      }),
    )
  })

  it('turned around, better is worse and worse is better, and nothing else changes', () => {
    const turned: Partial<Record<Judgement, Judgement>> = { better: 'worse', worse: 'better' }
    fc.assert(
      fc.property(report, report, (a, b) => {
        const [there, back] = [comparisonOf(a, b), comparisonOf(b, a)]
        expect(back.isComparable).toBe(there.isComparable)
        expect(back.differences.map(({ name }) => name)).toEqual(there.differences.map(({ name }) => name))
        const byName = (of: typeof there) => [
          ...of.figures,
          ...of.levels.toSorted((x, y) => (x.level < y.level ? -1 : 1)),
          ...of.donors,
        ]
        for (const [i, one] of byName(there).entries()) {
          const other = byName(back)[i]
          expect(other?.judgement).toBe(turned[one.judgement] ?? one.judgement)
          expect(other?.tolerance).toBe(one.tolerance)
          expect([other?.before, other?.after]).toEqual([one.after, one.before])
        }
        expect(back.verdict).toBe(turned[there.verdict] ?? there.verdict)
      }),
    )
  })

  it.each(['zh', 'en'] as const)('in print there is no figure that is none, in %s', (lang) => {
    fc.assert(
      fc.property(report, report, (a, b) => {
        const text = comparisonMarkdown(comparisonOf(a, b), lang, (wallMs) => `t${wallMs}`)
        expect(text).not.toMatch(/NaN|undefined|null|Infinity/)
        expect(text).toContain(lang === 'zh' ? '| 判断 |' : '| Judgement |')
      }),
      { numRuns: 30 },
    )
  })
})
