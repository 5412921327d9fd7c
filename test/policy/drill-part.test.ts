// One gateway's part of a drill's measures: bounded, gone on from after a restart, and told of where it is not whole.
import { expect, it } from '@jest/globals'
import { fromPartRecord, type KeptPart, toPartRecord } from '../../gateway/control/drills/part-record.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import { type DrillMeasures, MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { continued, spansFrom, thinned, withGateways } from '../../gateway/policy/drill-part.ts'
import { tablesOf } from '../../gateway/policy/drill-report-tables.ts'
import { reportOf } from '../../gateway/policy/drill-report.ts'
import { aDrill } from '../support/drills.ts'

/** One request of the cohort each second, every tenth of them failed. */
function measured(seconds: number, from = 0): DrillMeasures {
  const made = new MeasuresInTheMaking(0)
  made.first('faultOn', 1000 + from)
  for (let second = from; second < from + seconds; second++) {
    const outcome = second % 10 === 0 ? 'unavailable' : 'ok'
    made.cohort.ended('local 610100', outcome, 3.21 + (second % 7), second * 1000, true)
  }
  return made.read((from + seconds) * 1000)
}

const sums = ({ cohort }: DrillMeasures) => ({
  requests: cohort.seconds.reduce((sum, one) => sum + one.requests, 0),
  errors: cohort.seconds.reduce((sum, one) => sum + one.errors, 0),
  maxMs: Math.max(...cohort.seconds.map(({ maxMs }) => maxMs)),
})

const part = (measures: DrillMeasures, changes: Partial<KeptPart> = {}): KeptPart => ({
  gateway: 'one',
  from: 0,
  to: 9000,
  missing: [],
  inForce: false,
  measures,
  ...changes,
})

it.each([10, 599, 3600, 4000])('of %i seconds is small, and sums up to the same', async (seconds) => {
  const measures = measured(seconds)
  const small = thinned(measures)
  expect(small.cohort.seconds.length).toBeLessThanOrEqual(600)
  expect(sums(small)).toEqual({ ...sums(measures), maxMs: 9.2 })
  const record = await toPartRecord(part(measures))
  expect(JSON.stringify(record).length).toBeLessThan(32_000)
  expect((await fromPartRecord({ value: record }))?.measures).toEqual(small)
})

it('of many events keeps the first', () => {
  const made = new MeasuresInTheMaking(0)
  for (let at = 0; at < 400; at++) made.happened({ at, node: nodeId('xian-1'), what: 'stalled', real: false })
  expect(thinned(made.read(1)).events).toHaveLength(200)
})

it.each([
  ['nothing', undefined],
  ['another release’s', { ...part(measured(1)), form: 2 }],
  ['what is no deflated text', { ...part(measured(1)), measures: 'AAAA' }],
])('is left out where it is %s', async (_, value) => {
  expect(await fromPartRecord({ value })).toBeNull()
})

it('goes on after a restart: sums of both, moments of the first, and nothing of what was lately', () => {
  const all = continued(measured(20), measured(10, 30))
  expect(all.cohort.requests).toBe(30)
  expect(all.timeline.faultOn).toBe(1000)
  expect(all.recent.cohort.requests).toBe(measured(10, 30).recent.cohort.requests)
  expect(continued(measured(20), null).recent.cohort).toEqual({ requests: 0, errors: 0, p99Ms: null })
  expect(spansFrom(part(measured(1)), 12_000)).toEqual({
    from: 0,
    to: 12_000,
    missing: [{ from: 9000, to: 12_000 }],
  })
  expect(spansFrom(null, 5)).toEqual({ from: 5, to: 5, missing: [] })
})

it.each([
  { what: 'all were there to its end', one: {}, unheard: false, missing: [], verdict: 'passed' },
  { what: 'one had told of nearly all', one: { to: 5001 }, unheard: false, missing: [], verdict: 'passed' },
  {
    what: 'one was not heard of to its end',
    one: { to: 4000 },
    unheard: false,
    missing: [{ from: 4000, to: 10_000 }],
    verdict: 'interrupted',
  },
  {
    what: 'one went while it brought residents back',
    one: { to: 11_000 },
    unheard: true,
    missing: [{ from: 11_000, to: 20_000 }],
    verdict: 'interrupted',
  },
])('reported with who took part, $verdict where $what', ({ one, unheard, missing, verdict }) => {
  const run = {
    startedAt: 0,
    faultAt: 1000,
    endsAt: 10_000,
    overruled: [],
    endedAt: 10_000,
    ending: 'time' as const,
    detail: '',
  }
  const measures = measured(10)
  const report = reportOf(aDrill({ run }), run, measures, [])
  const { gateway, from, to } = part(measures, { to: 10_000, ...one })
  const parts = [{ gateway, from, to, missing: [], unheard }]
  const whole = withGateways(report, parts, 10_000, 20_000)
  expect(whole).toEqual({
    ...report,
    verdict,
    gateways: [{ gateway, from, to, missing }],
  })
  const told = tablesOf(whole, 'en', String).tables.find(({ title }) => title === 'Gateways')
  const gaps = missing.map((span) => `${span.from} – ${span.to}`).join('; ')
  expect(told?.rows).toEqual([['one', '0', String(to), gaps || '–']])
})
