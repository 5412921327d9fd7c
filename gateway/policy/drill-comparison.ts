// Two drills' reports beside each other: whether they can be compared, and which figures differ by more than noise.
import type { Objectives } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import { differencesOf, type PlanDifference } from './drill-differences.ts'
import type { DrillReport, DrillVerdict, GroupSummary, ObjectiveResult } from './drill-report.ts'
import { rateNoise, shareNoise } from './noise.ts'

/**
 * Of what was before and is now: `changed` where neither way is the better one, `unknown` where a side has no figure or
 * the two drills can't be compared.
 */
export const judgements = ['better', 'worse', 'same', 'changed', 'unknown'] as const
export type Judgement = (typeof judgements)[number]

/**
 * Of the cohort, less of each is better:
 * - times from the fault, `recoverMs` from its end;
 * - `errorShare`: of requests under the fault; `addedErrorShare`: beyond the control's;
 * - quantiles of latency under the fault; `addedP99Ms`: beyond the control's;
 * - `retries`, `hedges`, `lastGood`, `shed`: for each request of the whole run.
 */
export const figureNames = [
  'detectMs',
  'firstElsewhereMs',
  'shiftMs',
  'recoverMs',
  'errorShare',
  'addedErrorShare',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'addedP99Ms',
  'retries',
  'hedges',
  'lastGood',
  'shed',
] as const
export type FigureName = (typeof figureNames)[number]

export interface Measured {
  readonly before: number | null
  readonly after: number | null
  /** `after` less `before`. */
  readonly delta: number | null
  /** A difference up to it is none. */
  readonly tolerance: number | null
  readonly judgement: Judgement
}

export interface Figure extends Measured {
  readonly name: FigureName
}

/** Share of the cohort's requests that this level answered, 0 to 1. */
export interface LevelShare extends Measured {
  /** `level region`, or `none`. */
  readonly level: string
}

/** Peak use of a region that helps, 0 to 1. */
export interface DonorChange extends Measured {
  readonly region: RegionId
  readonly rpsBefore: number | null
  readonly rpsAfter: number | null
}

/** `null`: that drill had no such objective, or nothing was measured of it. */
export interface ObjectiveChange {
  readonly objective: keyof Objectives
  readonly boundBefore: number | null
  readonly boundAfter: number | null
  readonly measuredBefore: number | null
  readonly measuredAfter: number | null
  readonly metBefore: boolean | null
  readonly metAfter: boolean | null
  readonly judgement: Judgement
}

export interface ComparedRun {
  readonly drill: string
  readonly name: string
  /** Wall-clock milliseconds since 1970. */
  readonly startedAt: number
  readonly verdict: DrillVerdict
  /** Of the cohort, while the fault was on. */
  readonly requests: number
}

export interface DrillComparison {
  readonly before: ComparedRun
  readonly after: ComparedRun
  /** False where a difference of the plans `breaks` it: then every judgement is `unknown`. */
  readonly isComparable: boolean
  readonly differences: readonly PlanDifference[]
  /** Of `passed` and `failed`; other verdicts prove nothing either way. */
  readonly verdict: Judgement
  /** How many figures came out how. */
  readonly counts: Readonly<Record<Judgement, number>>
  readonly figures: readonly Figure[]
  readonly levels: readonly LevelShare[]
  readonly donors: readonly DonorChange[]
  readonly objectives: readonly ObjectiveChange[]
}

/** Moments are told by loops that look so often, ms. */
const timeToleranceMs = 200
/** One step of the histogram that quantiles come from, of the larger of two. */
const quantileTolerance = 0.09
/** Of a donor's room: a peak is one moment's. */
const useTolerance = 0.05
/** Smaller differences move nobody: shares of errors and of requests, and what is done for each request. */
const leastErrorShare = 0.001
const leastShare = 0.01

export function comparisonOf(before: DrillReport, after: DrillReport): DrillComparison {
  const differences = differencesOf(before, after)
  const isComparable = differences.every(({ effect }) => effect === 'shades')
  const held = <T extends { readonly judgement: Judgement }>(one: T): T =>
    isComparable ? one : { ...one, judgement: 'unknown' }
  const figures = [...timesOf(before, after), ...sharesOf(before, after), ...latenciesOf(before, after)]
    .concat(effortsOf(before, after))
    .map(held)
  return {
    before: runOf(before),
    after: runOf(after),
    isComparable,
    differences,
    verdict: isComparable ? judgedVerdict(before.verdict, after.verdict) : 'unknown',
    counts: countsOf(figures),
    figures,
    levels: levelsOf(before.cohort, after.cohort).map(held),
    donors: donorsOf(before, after).map(held),
    objectives: objectivesOf(before.objectives, after.objectives).map(held),
  }
}

const runOf = ({ drill, name, run, verdict, cohort }: DrillReport): ComparedRun => ({
  drill,
  name,
  startedAt: run.startedAt,
  verdict,
  requests: cohort.underFault.requests,
})

function countsOf(figures: readonly Figure[]): Record<Judgement, number> {
  const counts = { better: 0, worse: 0, same: 0, changed: 0, unknown: 0 }
  for (const { judgement } of figures) counts[judgement] += 1
  return counts
}

/** @param ifMore What it is called where there is more of it now. */
function measured(
  before: number | null,
  after: number | null,
  tolerance: number,
  ifMore: 'worse' | 'changed' = 'worse',
): Measured {
  if (before === null || after === null) {
    const judgement = before === after ? 'same' : 'unknown'
    return { before, after, delta: null, tolerance: null, judgement }
  }
  const delta = after - before
  const ifLess = ifMore === 'changed' ? 'changed' : 'better'
  const judgement = Math.abs(delta) <= tolerance ? 'same' : delta < 0 ? ifLess : ifMore
  return { before, after, delta, tolerance, judgement }
}

function timesOf(a: DrillReport, b: DrillReport): Figure[] {
  const time = (name: keyof DrillReport['times'], mayNever: boolean): Figure => {
    const figure = measured(a.times[name], b.times[name], timeToleranceMs)
    // What a drill that ran its time never came to would have taken longer than whatever it is compared to.
    const isNever = (report: DrillReport): boolean =>
      mayNever && report.times[name] === null && (report.verdict === 'passed' || report.verdict === 'failed')
    if (figure.judgement !== 'unknown') return { name, ...figure }
    return { name, ...figure, judgement: isNever(a) ? 'better' : isNever(b) ? 'worse' : 'unknown' }
  }
  return [
    time('detectMs', true),
    // Where a fault only makes slow, nobody has to go elsewhere.
    time('firstElsewhereMs', false),
    time('shiftMs', true),
    time('recoverMs', true),
  ]
}

const errorsOf = ({ underFault }: GroupSummary) => ({ hits: underFault.errors, of: underFault.requests })
const hadRequests = ({ underFault }: GroupSummary): boolean => underFault.requests > 0

function sharesOf(a: DrillReport, b: DrillReport): Figure[] {
  const cohortNoise = shareNoise(errorsOf(a.cohort), errorsOf(b.cohort))
  const controlNoise = shareNoise(errorsOf(a.control), errorsOf(b.control))
  const share = ({ cohort }: DrillReport): number | null =>
    hadRequests(cohort) ? cohort.underFault.errorShare : null
  const added = ({ cohort, control }: DrillReport): number | null =>
    hadRequests(cohort) && hadRequests(control)
      ? Math.max(0, cohort.underFault.errorShare - control.underFault.errorShare)
      : null
  return [
    { name: 'errorShare', ...measured(share(a), share(b), Math.max(leastErrorShare, cohortNoise)) },
    {
      name: 'addedErrorShare',
      // Errors of two groups that have nothing to do with each other.
      ...measured(added(a), added(b), Math.max(leastErrorShare, Math.hypot(cohortNoise, controlNoise))),
    },
  ]
}

function latenciesOf(a: DrillReport, b: DrillReport): Figure[] {
  const quantile = (name: 'p50Ms' | 'p95Ms' | 'p99Ms'): Figure => {
    const [before, after] = [a.cohort.underFault[name], b.cohort.underFault[name]]
    return { name, ...measured(before, after, quantileTolerance * Math.max(before ?? 0, after ?? 0)) }
  }
  const added = ({ cohort, control }: DrillReport): number | null => {
    const [more, less] = [cohort.underFault.p99Ms, control.underFault.p99Ms]
    return more === null || less === null ? null : more - less
  }
  // Either of the two it is made of may be a step off.
  const stepsMs = ({ cohort, control }: DrillReport): number =>
    quantileTolerance * ((cohort.underFault.p99Ms ?? 0) + (control.underFault.p99Ms ?? 0))
  return [
    quantile('p50Ms'),
    quantile('p95Ms'),
    quantile('p99Ms'),
    { name: 'addedP99Ms', ...measured(added(a), added(b), Math.max(stepsMs(a), stepsMs(b))) },
  ]
}

function effortsOf({ cohort: a }: DrillReport, { cohort: b }: DrillReport): Figure[] {
  const effort = (name: 'retries' | 'hedges' | 'lastGood' | 'shed', noise: typeof rateNoise): Figure => {
    const forEach = (of: GroupSummary): number | null => (of.requests === 0 ? null : of[name] / of.requests)
    const bound = noise({ hits: a[name], of: a.requests }, { hits: b[name], of: b.requests })
    return { name, ...measured(forEach(a), forEach(b), Math.max(leastShare, bound)) }
  }
  return [
    effort('retries', rateNoise),
    effort('hedges', rateNoise),
    effort('lastGood', shareNoise),
    effort('shed', shareNoise),
  ]
}

function levelsOf(a: GroupSummary, b: GroupSummary): LevelShare[] {
  const names = new Set([...b.byLevel, ...a.byLevel].map(({ level }) => level))
  return [...names].map((level) => levelShare(level, a, b))
}

function levelShare(level: string, a: GroupSummary, b: GroupSummary): LevelShare {
  const count = (of: GroupSummary) => ({
    hits: of.byLevel.find((one) => one.level === level)?.requests ?? 0,
    of: of.requests,
  })
  const share = ({ hits, of }: ReturnType<typeof count>): number | null => (of === 0 ? null : hits / of)
  const [before, after] = [count(a), count(b)] as const
  const tolerance = Math.max(leastShare, shareNoise(before, after))
  return { level, ...measured(share(before), share(after), tolerance, 'changed') }
}

function donorsOf(a: DrillReport, b: DrillReport): DonorChange[] {
  const regions = new Set([...b.donors, ...a.donors].map(({ region }) => region))
  return [...regions].map((region) => donorChange(region, a, b))
}

function donorChange(region: RegionId, { donors: a }: DrillReport, { donors: b }: DrillReport): DonorChange {
  const before = a.find((one) => one.region === region)
  const after = b.find((one) => one.region === region)
  const rates = { rpsBefore: before?.peakRps ?? null, rpsAfter: after?.peakRps ?? null }
  return { region, ...rates, ...measured(before?.peakUse ?? null, after?.peakUse ?? null, useTolerance) }
}

function objectivesOf(a: readonly ObjectiveResult[], b: readonly ObjectiveResult[]): ObjectiveChange[] {
  const names = new Set([...b, ...a].map(({ objective }) => objective))
  return [...names].map((objective) => {
    const [then, now] = [a, b].map((of) => of.find((one) => one.objective === objective))
    return {
      objective,
      boundBefore: then?.bound ?? null,
      boundAfter: now?.bound ?? null,
      measuredBefore: then?.measured ?? null,
      measuredAfter: now?.measured ?? null,
      metBefore: then?.met ?? null,
      metAfter: now?.met ?? null,
      judgement: judgedMet(then?.met, now?.met),
    }
  })
}

function judgedMet(before: boolean | undefined, after: boolean | undefined): Judgement {
  if (before === undefined || after === undefined) return 'unknown'
  return before === after ? 'same' : after ? 'better' : 'worse'
}

function judgedVerdict(before: DrillVerdict, after: DrillVerdict): Judgement {
  if (before === after) return 'same'
  const isProof = (verdict: DrillVerdict): boolean => verdict === 'passed' || verdict === 'failed'
  if (!isProof(before) || !isProof(after)) return 'unknown'
  return after === 'passed' ? 'better' : 'worse'
}
