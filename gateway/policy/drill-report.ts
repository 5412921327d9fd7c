// What a drill has shown: its figures against its objectives, of the cohort and of the control beside it.
import type { Drill, DrillRun, Fault, DrillScope, Objectives, Person } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import type { DrillEvent, DrillMeasures, GroupCounts, SecondCount, Timeline } from './drill-measure.ts'
import { type GuardHeard, guardsOf } from './drill-report-guards.ts'
import { type OwnTrip, ownTrip } from './drill-own-trips.ts'
import type { GatewayPart } from './drill-part.ts'
import { LatencyHistogram } from './latency-histogram.ts'

export interface GroupSummary {
  readonly requests: number
  readonly errors: number
  readonly retries: number
  readonly hedges: number
  readonly coalesced: number
  readonly lastGood: number
  readonly shed: number
  /** While the fault was on. Shares from 0 to 1; latencies within 9 %, `null` where there were no answers. */
  readonly underFault: {
    readonly requests: number
    readonly errors: number
    readonly errorShare: number
    readonly p50Ms: number | null
    readonly p95Ms: number | null
    readonly p99Ms: number | null
  }
  /** By `level region`, the most first. */
  readonly byLevel: readonly { readonly level: string; readonly requests: number }[]
}

/** One point of the plot: some seconds together. `null` where no request ended. */
export interface Point {
  readonly requests: number
  readonly errors: number
  readonly meanMs: number | null
  readonly maxMs: number | null
}

export interface SeriesPoint {
  /** Seconds since the drill began. */
  readonly second: number
  readonly cohort: Point
  readonly control: Point
}

/** How busy a region that helps was at its busiest while the drill was on. */
export interface DonorUse {
  readonly region: RegionId
  readonly peakRps: number
  /** Requests open of those that it can have open, 0 to 1; `null`: nobody knows how many. */
  readonly peakUse: number | null
}

export interface ObjectiveResult {
  readonly objective: keyof Objectives
  readonly bound: number
  /** `null`: it never came to that. */
  readonly measured: number | null
  readonly met: boolean
}

/** A record of the audit log that is about the drill. */
export interface AuditReference {
  readonly seq: number
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
  /** Such as `drill.start`. */
  readonly action: string
  /** Who; `null` for somebody who was not let in. */
  readonly by: string | null
  readonly outcome: 'done' | 'refused' | 'failed'
}

/**
 * `passed`: it ran its time and every objective was met. `failed`: one was not. `ended-early`: a stop condition, a
 * failure or a person ended it. `interrupted`: whoever ran it, or had some of its figures, was gone. `no-traffic`: no request met the fault.
 */
export const verdicts = ['passed', 'failed', 'ended-early', 'interrupted', 'no-traffic'] as const
export type DrillVerdict = (typeof verdicts)[number]

export interface DrillReport {
  readonly drill: string
  readonly name: string
  readonly reason: string
  readonly owner: Person
  readonly approver: Person | null
  readonly scope: DrillScope
  readonly fault: Fault
  readonly cohortShare: number
  readonly seconds: number
  readonly run: DrillRun
  /** Who measured it. */
  readonly gateways: readonly GatewayPart[]
  readonly verdict: DrillVerdict
  /** The steady moments are `shifted`, all residents served elsewhere, and `recovered`, all served at home. */
  readonly timeline: Timeline
  /** From the fault, and `recoverMs` from its end; `null` where it never came. */
  readonly times: {
    readonly detectMs: number | null
    readonly firstElsewhereMs: number | null
    readonly shiftMs: number | null
    readonly recoverMs: number | null
  }
  readonly objectives: readonly ObjectiveResult[]
  readonly cohort: GroupSummary
  readonly control: GroupSummary
  readonly series: readonly SeriesPoint[]
  readonly donors: readonly DonorUse[]
  readonly events: readonly DrillEvent[]
  /** Of each node in scope, when it would have been found out by itself, or why not. */
  readonly wouldHaveTripped: readonly OwnTrip[]
  readonly guards: readonly GuardHeard[]
  /** Oldest first, to the end of the drill; the record that its report was written follows. */
  readonly audit: readonly AuditReference[]
}

/** Points that a plot can show. */
const pointsAtMost = 240

/** @param measures `null` where nothing was measured, or nobody kept it. */
export function reportOf(
  drill: Drill,
  run: DrillRun,
  measures: DrillMeasures | null,
  donors: readonly DonorUse[],
  audit: readonly AuditReference[] = [],
): DrillReport {
  const cohort = summaryOf(measures?.cohort)
  const control = summaryOf(measures?.control)
  const timeline = steadied(measures?.timeline ?? {})
  const times = timesOf(timeline)
  const objectives = resultsOf(drill.objectives, times, cohort, control)
  return {
    drill: drill.id,
    name: drill.name,
    reason: drill.reason,
    owner: drill.owner,
    approver: drill.approver,
    scope: drill.scope,
    fault: drill.fault,
    cohortShare: drill.cohort,
    seconds: drill.seconds,
    run,
    gateways: [],
    verdict: measures === null ? 'interrupted' : verdictOf(drill, run, cohort, objectives),
    timeline,
    times,
    objectives,
    cohort,
    control,
    series: seriesOf(measures?.cohort.seconds ?? [], measures?.control.seconds ?? []),
    donors,
    events: measures?.events ?? [],
    wouldHaveTripped: (measures?.heard ?? []).map(ownTrip),
    guards: guardsOf(run),
    audit,
  }
}

/** Where nobody was on the way when it was found out, nobody had to be moved. */
const steadied = (timeline: Timeline): Timeline => {
  const shifted = timeline.shifted ?? timeline.detected
  return shifted === undefined ? timeline : { ...timeline, shifted }
}

function timesOf({ faultOn, faultOff, detected, firstElsewhere, shifted, recovered }: Timeline) {
  const between = (from: number | undefined, to: number | undefined): number | null =>
    from === undefined || to === undefined ? null : Math.round(to - from)
  return {
    detectMs: between(faultOn, detected),
    firstElsewhereMs: between(faultOn, firstElsewhere),
    shiftMs: between(faultOn, shifted),
    recoverMs: between(faultOff, recovered),
  }
}

function resultsOf(
  objectives: Objectives,
  { detectMs, shiftMs, recoverMs }: DrillReport['times'],
  cohort: GroupSummary,
  control: GroupSummary,
): ObjectiveResult[] {
  const added =
    cohort.underFault.p99Ms === null || control.underFault.p99Ms === null
      ? null
      : cohort.underFault.p99Ms - control.underFault.p99Ms
  const errorShare = Math.max(0, cohort.underFault.errorShare - control.underFault.errorShare)
  const result = (objective: keyof Objectives, measured: number | null): ObjectiveResult[] => {
    const bound = objectives[objective]
    return bound === null ? [] : [{ objective, bound, measured, met: measured !== null && measured <= bound }]
  }
  return [
    ...result('detectMs', detectMs),
    ...result('shiftMs', shiftMs),
    ...result('recoverMs', recoverMs),
    ...result('errorShare', cohort.underFault.requests === 0 ? null : errorShare),
    ...result('addedP99Ms', added),
  ]
}

function verdictOf(
  { fault }: Drill,
  { ending }: DrillRun,
  cohort: GroupSummary,
  objectives: readonly ObjectiveResult[],
): DrillVerdict {
  if (ending === 'interrupted') return 'interrupted'
  if (ending !== 'time') return 'ended-early'
  if (fault.kind !== 'registry-loss' && cohort.underFault.requests === 0) return 'no-traffic'
  return objectives.every(({ met }) => met) ? 'passed' : 'failed'
}

function summaryOf(counts: GroupCounts | undefined): GroupSummary {
  const latency = new LatencyHistogram(counts?.latency)
  const { requests = 0, errors = 0 } = counts?.underFault ?? {}
  return {
    requests: counts?.requests ?? 0,
    errors: counts?.errors ?? 0,
    retries: counts?.retries ?? 0,
    hedges: counts?.hedges ?? 0,
    coalesced: counts?.coalesced ?? 0,
    lastGood: counts?.outcomes['last-good'] ?? 0,
    shed: counts?.outcomes.shed ?? 0,
    underFault: {
      requests,
      errors,
      errorShare: requests === 0 ? 0 : errors / requests,
      p50Ms: latency.quantile(0.5),
      p95Ms: latency.quantile(0.95),
      p99Ms: latency.quantile(0.99),
    },
    byLevel: Object.entries(counts?.byLevel ?? {})
      .map(([level, of]) => ({ level, requests: of }))
      .sort((a, b) => b.requests - a.requests),
  }
}

function seriesOf(cohort: readonly SecondCount[], control: readonly SecondCount[]): SeriesPoint[] {
  const last = Math.max(cohort.at(-1)?.second ?? -1, control.at(-1)?.second ?? -1)
  const step = Math.max(1, Math.ceil((last + 1) / pointsAtMost))
  const [a, b] = [bySteps(cohort, step), bySteps(control, step)]
  return Array.from({ length: Math.ceil((last + 1) / step) }, (_, i) => ({
    second: i * step,
    cohort: pointOf(a.get(i) ?? []),
    control: pointOf(b.get(i) ?? []),
  }))
}

const bySteps = (seconds: readonly SecondCount[], step: number): Map<number, SecondCount[]> =>
  Map.groupBy(seconds, ({ second }) => Math.floor(second / step))

function pointOf(seconds: readonly SecondCount[]): Point {
  const sum = (read: (one: SecondCount) => number): number => seconds.reduce((all, one) => all + read(one), 0)
  const requests = sum((one) => one.requests)
  return {
    requests,
    errors: sum((one) => one.errors),
    meanMs: requests === 0 ? null : sum((one) => one.sumMs) / requests,
    maxMs: requests === 0 ? null : Math.max(...seconds.map(({ maxMs }) => maxMs)),
  }
}
