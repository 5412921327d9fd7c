// The report of a drill: its figures, its verdict, and what it looks like in each form and language.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import type { DrillEnding } from '../../gateway/model/drill.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { type DrillMeasures, MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { addedUp } from '../../gateway/policy/drill-measure-sum.ts'
import { reportOf } from '../../gateway/policy/drill-report.ts'
import { allHeard, type NodeHeard, ownTrip } from '../../gateway/policy/drill-own-trips.ts'
import { htmlReport } from '../../gateway/policy/drill-report-html.ts'
import { markdownReport } from '../../gateway/policy/drill-report-markdown.ts'
import { LatencyHistogram } from '../../gateway/policy/latency-histogram.ts'
import { aDrill, aPlan } from '../support/drills.ts'

const run = (ending: DrillEnding = 'time') => ({
  startedAt: 1000,
  faultAt: 6000,
  endsAt: 66_000,
  overruled: ['wait-period'],
  endedAt: 66_000,
  ending,
  detail: '',
})

const xian1 = nodeId('xian-1')

/** 100 requests of the cohort, 8 of which failed, 900 of the control, of which 9 did. */
function measured(): DrillMeasures {
  const made = new MeasuresInTheMaking(1000)
  made.first('faultOn', 6000)
  for (let i = 0; i < 100; i++) {
    made.cohort.ended('neighbour 610400', i < 8 ? 'unavailable' : 'ok', 40, 7000 + i * 50, true)
  }
  for (let i = 0; i < 900; i++) {
    made.control.ended('local 610100', i < 9 ? 'unavailable' : 'ok', 10, 7000 + i * 5, true)
  }
  made.cohort.tried('retry')
  made.cohort.tried('hedge')
  made.first('detected', 6400)
  made.ownTrips.watch(xian1)
  made.ownTrips.heard(xian1, true)
  made.ownTrips.found(xian1, 6400, 'breaker')
  made.ownTrips.found(xian1, 6300, 'probes')
  made.last('shifted', 6900)
  made.first('faultOff', 66_000)
  made.first('recovered', 78_000)
  return made.read(80_000)
}

const bounds = { detectMs: 500, shiftMs: 1000, recoverMs: 15_000, errorShare: 0.08, addedP99Ms: 50 }
const drill = (objectives = bounds, changes = {}) =>
  aDrill({ objectives, state: 'restoring', run: run(), ...changes })
const donors = [{ region: regionId('610400'), peakRps: 12.5, peakUse: 0.4 }]

it('holds what was measured to what was promised', () => {
  const report = reportOf(drill(), run(), measured(), donors)
  expect(report.times).toEqual({ detectMs: 400, firstElsewhereMs: null, shiftMs: 900, recoverMs: 12_000 })
  expect(report.objectives.map(({ objective, met }) => [objective, met])).toEqual([
    ['detectMs', true],
    ['shiftMs', true],
    ['recoverMs', true],
    ['errorShare', true],
    ['addedP99Ms', true],
  ])
  expect(report.objectives.find(({ objective }) => objective === 'errorShare')?.measured).toBeCloseTo(0.07)
  expect(report.verdict).toBe('passed')
  expect(report.cohort).toMatchObject({ requests: 100, errors: 8, retries: 1, hedges: 1 })
  expect(report.guards).toEqual([{ guard: 'wait-period', did: 'overruled', detail: '' }])
  expect(report.wouldHaveTripped).toEqual([
    { node: 'xian-1', at: 6400, by: 'breaker', answers: 1, failures: 1, reason: null },
  ])
  expect(report.series.reduce((sum, { cohort }) => sum + cohort.requests, 0)).toBe(100)
  expect(drillReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report)
})

it.each([
  {
    name: 'one objective is missed',
    objectives: { ...bounds, detectMs: 399 },
    ending: 'time' as const,
    verdict: 'failed',
  },
  {
    name: 'one is never come to',
    objectives: bounds,
    measures: 'undetected',
    ending: 'time' as const,
    verdict: 'failed',
  },
  { name: 'a person ended it', objectives: bounds, ending: 'owner' as const, verdict: 'ended-early' },
  { name: 'its runner was gone', objectives: bounds, ending: 'interrupted' as const, verdict: 'interrupted' },
  {
    name: 'nobody asked',
    objectives: bounds,
    measures: 'quiet',
    ending: 'time' as const,
    verdict: 'no-traffic',
  },
  {
    name: 'its figures are lost',
    objectives: bounds,
    measures: 'lost',
    ending: 'time' as const,
    verdict: 'interrupted',
  },
])('is $verdict where $name', ({ objectives, measures, ending, verdict }) => {
  const all = measured()
  const { detected: _, ...undetected } = all.timeline
  const of =
    measures === 'lost'
      ? null
      : measures === 'quiet'
        ? new MeasuresInTheMaking(1000).read(2000)
        : measures === 'undetected'
          ? { ...all, timeline: undetected }
          : all
  expect(reportOf(drill(objectives), run(ending), of, []).verdict).toBe(verdict)
})

it.each([
  { answers: 0, failures: 0, at: null, reason: 'nothing-heard' },
  { answers: 900, failures: 0, at: null, reason: 'nothing-failed' },
  { answers: 900, failures: 9, at: null, reason: 'too-few-failed' },
  { answers: 900, failures: 800, at: 7, reason: null },
])('says of $failures failures in $answers answers why it stays closed: $reason', ({ reason, ...heard }) => {
  const by = heard.at === null ? null : ('control' as const)
  expect(ownTrip({ node: xian1, by, ...heard })).toMatchObject({ reason })
})

it('names whichever process found a node out first, and adds up what all of them heard', () => {
  const heard = (at: number | null, by: NodeHeard['by'], answers: number): NodeHeard => ({
    node: xian1,
    at,
    by,
    answers,
    failures: 1,
  })
  const [early, late, never] = [heard(5, 'probes', 1), heard(9, 'breaker', 2), heard(null, null, 4)]
  const first = { node: 'xian-1', at: 5, by: 'probes', answers: 3, failures: 2 }
  expect(allHeard([early], [late])).toEqual([first])
  expect(allHeard([late], [early])).toEqual([first])
  expect(allHeard([never], [late])).toMatchObject([{ at: 9, by: 'breaker', answers: 6 }])
  expect(allHeard([], [never])).toEqual([never])
})

it('has nobody to move where nobody was on the way, and says what ended it', () => {
  const { shifted: _, ...timeline } = measured().timeline
  const ended = { ...run('failed'), detail: 'xian-2' }
  const report = reportOf(drill(), ended, { ...measured(), timeline }, [])
  expect([report.timeline.shifted, report.times.shiftMs]).toEqual([6400, 400])
  expect(report.guards).toContainEqual({ guard: 'failed', did: 'fired', detail: 'xian-2' })
  expect(reportOf(drill(), run('owner'), measured(), []).guards).toHaveLength(1)
})

describe('in print', () => {
  const nasty = '<script>alert(1)</script> | `x` &lt;b&gt;\n# no heading\u2028# nor this'
  const report = reportOf(
    drill(bounds, aPlan({ name: nasty, reason: nasty, objectives: bounds })),
    run(),
    measured(),
    donors,
    [{ seq: 41, at: 900, action: 'drill.start', by: 'Li', outcome: 'done' }],
  )
  const timeText = (wallMs: number): string => `t${wallMs}`

  it.each(['zh', 'en'] as const)('is one HTML file that runs and fetches nothing, in %s', (lang) => {
    const html = htmlReport(report, lang, timeText)
    expect(html).not.toContain('<script')
    expect(html).not.toMatch(/(?:src|href)=/)
    expect(html).toContain('&#60;script&#62;')
    expect(html).toContain("default-src 'none'")
    expect(html.match(/<path /g)).toHaveLength(2)
    expect(html).not.toMatch(/NaN|undefined|null|Infinity/)
    expect(html).toContain(lang === 'zh' ? '达标' : 'passed')
    expect(html).toContain(lang === 'zh' ? '距上次演练过近' : 'the last drill ended too shortly before')
  })

  it.each(['zh', 'en'] as const)('is Markdown whose words stay words, in %s', (lang) => {
    const lines = markdownReport(report, lang, timeText).split('\n')
    expect(lines.filter((line) => line.startsWith('# '))).toHaveLength(1)
    expect(lines.some((line) => line.startsWith('# no'))).toBe(false)
    // Nor does what is written as an entity become a mark.
    expect(lines.join('\n')).not.toMatch(/[^\\]&|\u2028/)
    const cells = lines
      .filter((line) => line.startsWith('|'))
      .map((line) => line.replace(/\\\|/g, '').split('|').length)
    expect(new Set(cells)).toEqual(new Set([4, 5, 6, 7, 8]))
    expect(lines.join('\n')).not.toMatch(/NaN|undefined|null/)
  })

  it.each([
    {
      lang: 'en' as const,
      rows: [
        '| fault on | t6000 | 0 |',
        '| first failed attempt | – | – |',
        '| breaker open | – | – |',
        '| found out | t6400 | 400 |',
        '| first request served elsewhere | – | – |',
        '| steady: all served elsewhere | t6900 | 900 |',
        '| fault off | t66000 | 60000 |',
        '| first request home | – | – |',
        '| steady: all served at home | t78000 | 72000 |',
        '| the last drill ended too shortly before | overruled | – |',
        '| xian-1 | t6400 | 400 | the cohort’s breaker | 1 | 1 |',
        '| 41 | t900 | drill.start | Li | done |',
        '| 610400 | 12.5 | 40 % |',
      ],
    },
    {
      lang: 'zh' as const,
      rows: [
        '| 范围 | 属地 |',
        '| 故障注入 | t6000 | 0 |',
        '| 稳定：已全部切换 | t6900 | 900 |',
        '| 稳定：已全部恢复 | t78000 | 72000 |',
        '| 距上次演练过近 | 被强行越过 | – |',
        '| xian-1 | t6400 | 400 | 参与组的熔断器 | 1 | 1 |',
        '| 41 | t900 | drill.start | Li | 已执行 |',
      ],
    },
  ])('names each moment, guard, own trip and record, in $lang', ({ lang, rows }) => {
    const lines = markdownReport(report, lang, timeText).split('\n')
    expect(lines).toEqual(expect.arrayContaining(rows))
    const cells = rows.flatMap((row) => row.slice(2, -2).split(' | '))
    const html = htmlReport(report, lang, timeText)
    expect(cells.filter((cell) => !html.includes(`<td>${cell}</td>`))).toEqual([])
  })

  it('of nothing measured has no plot and no figures', () => {
    const html = htmlReport(reportOf(drill(), run(), null, []), 'en', timeText)
    expect(html).not.toContain('<svg')
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })
})

it('what several processes measured adds up, whoever is asked first', () => {
  const [a, b] = [measured(), measured()]
  const sum = addedUp([a, b])
  expect(sum?.cohort).toMatchObject({ requests: 200, errors: 16, byLevel: { 'neighbour 610400': 200 } })
  expect(sum?.cohort.latency.reduce((all, one) => all + one, 0)).toBe(200)
  expect(sum?.cohort.seconds.reduce((all, { requests }) => all + requests, 0)).toBe(200)
  expect(sum?.timeline).toEqual(a.timeline)
  const later = { ...b, timeline: { faultOn: 6100, detected: 6300, firstFailure: 6200 } }
  expect(addedUp([a, later])?.timeline).toMatchObject({ faultOn: 6000, detected: 6400, firstFailure: 6200 })
  expect(addedUp([later, a])).toEqual(addedUp([a, later]))
  expect(addedUp([])).toBeNull()
})

it('quantiles are within a tenth of the true ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1 }),
      (latencies) => {
        const histogram = new LatencyHistogram()
        for (const ms of latencies) histogram.record(ms)
        const sorted = latencies.toSorted((x, y) => x - y)
        for (const q of [0.5, 0.95, 0.99, 1]) {
          const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0
          const found = histogram.quantile(q) ?? 0
          expect(found).toBeGreaterThanOrEqual(exact * 0.999)
          expect(found).toBeLessThanOrEqual(exact * 1.1)
        }
      },
    ),
  )
})
