// Reports of drills with everything unimportant filled in, for tests of what is made of them.
import { drillPrefix, drillReportPrefix, drillSchema } from '../../gateway/control/drills/records.ts'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import { resultWrite } from '../../gateway/control/drills/results.ts'
import { type DrillReport, type GroupSummary, reportOf } from '../../gateway/policy/drill-report.ts'
import { resultOf } from '../../gateway/policy/drill-scoreboard.ts'
import { aDrill } from './drills.ts'
import type { Api } from './operators.ts'

type SummaryChanges = Partial<Omit<GroupSummary, 'underFault'>> & {
  readonly underFault?: Partial<GroupSummary['underFault']>
}

/** 1000 requests under the fault, none of which failed. */
export const aSummary = ({ underFault, ...changes }: SummaryChanges = {}): GroupSummary => ({
  requests: 1000,
  errors: 0,
  retries: 0,
  hedges: 0,
  coalesced: 0,
  lastGood: 0,
  shed: 0,
  byLevel: [],
  ...changes,
  underFault: {
    requests: 1000,
    errors: 0,
    errorShare: 0,
    p50Ms: 10,
    p95Ms: 20,
    p99Ms: 30,
    ...underFault,
  },
})

const aRun: DrillReport['run'] = {
  startedAt: 1000,
  faultAt: 6000,
  endsAt: 66_000,
  overruled: [],
  endedAt: 66_000,
  ending: 'time',
  detail: '',
}

/** Of refused connections in 610100 for a minute, at 100 requests a second, which it passed. */
export const aReport = (changes: Partial<DrillReport> = {}): DrillReport => ({
  ...reportOf(aDrill(), aRun, null, []),
  verdict: 'passed',
  timeline: { faultOn: 6000, faultOff: 66_000 },
  times: { detectMs: 400, firstElsewhereMs: 100, shiftMs: 900, recoverMs: 12_000 },
  cohort: aSummary(),
  control: aSummary({ underFault: { requests: 5000 } }),
  ...changes,
})

/** A run that ended so many days ago, by its time. */
export const endedDaysAgo = (days: number): DrillReport['run'] => {
  const endedAt = Date.now() - days * 86_400_000 - 1000
  return { ...aRun, endedAt, endsAt: endedAt }
}

/** A drill that is over, as its runner leaves it. */
export async function putOver(api: Api, changes: Partial<DrillReport>): Promise<void> {
  const report = aReport(changes)
  const { drill: id, run } = report
  const done = await api.registry.commit([
    {
      key: drillPrefix + id,
      value: drillSchema.parse(aDrill({ id, state: 'reported', run })),
      expectedVersion: 0,
    },
    { key: drillReportPrefix + id, value: drillReportSchema.parse(report), expectedVersion: 0 },
    resultWrite(resultOf(report, run, api.directory.current.homes)),
  ])
  if (!done.ok) throw new Error(`${done.key} is there already`)
}
