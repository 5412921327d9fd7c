// When a drill that is on has to end before its time.
import type { DrillEnding, StopConditions } from '../model/drill.ts'
import type { NodeId } from '../model/ids.ts'
import type { NodeReadings } from '../model/readings.ts'
import { isFailing } from './drill-guards.ts'
import type { DrillMeasures } from './drill-measure.ts'

export interface Stop {
  readonly ending: DrillEnding
  /** Which figure or node, for the report. */
  readonly detail: string
}

/** Fewer failures than these are chance. */
const errorsAtLeast = 5
/** Of fewer answers nothing can be said. */
const answersAtLeast = 20
/** A p99 of fewer answers is one answer's: then it has to be so in several seconds. */
const answersForP99 = 100
const slowSecondsAtLeast = 3

interface Failed {
  readonly requests: number
  readonly errors: number
}
const shareOf = ({ errors, requests }: Failed): number => (requests === 0 ? 0 : errors / requests)

/** Share of requests that residents saw fail, beyond those of the control, over the last ten seconds. */
export const excessErrorShare = ({ recent: { cohort, control } }: Pick<DrillMeasures, 'recent'>): number =>
  shareOf(cohort) - shareOf(control)

/** Where few come, ten seconds never have enough to judge by; while some still fail, all that the fault has done may. */
const judgedBy = ({ recent, cohort, control }: DrillMeasures): { cohort: Failed; control: Failed } =>
  recent.cohort.requests < answersAtLeast && recent.cohort.errors > 0
    ? { cohort: cohort.underFault, control: control.underFault }
    : recent

/**
 * @param calmP99Ms What the cohort's answers took before the fault, for where there is no control; `null`: not known.
 */
export function stopFor(
  measures: DrillMeasures,
  stop: StopConditions,
  calmP99Ms: number | null,
): Stop | null {
  const { cohort, control } = measures.recent
  const judged = judgedBy(measures)
  const excess = shareOf(judged.cohort) - shareOf(judged.control)
  if (judged.cohort.errors >= errorsAtLeast && excess > stop.errorShare) {
    return {
      ending: 'errors',
      detail: `${percent(excess)} more failed than in the control, bound ${percent(stop.errorShare)}`,
    }
  }
  const usual = control.requests >= answersAtLeast ? control.p99Ms : calmP99Ms
  if (stop.addedP99Ms === null || usual === null || cohort.p99Ms === null) return null
  const added = cohort.p99Ms - usual
  if (cohort.requests < answersAtLeast || added <= stop.addedP99Ms) return null
  const isChance =
    cohort.requests < answersForP99 && slowSeconds(measures, usual + stop.addedP99Ms) < slowSecondsAtLeast
  if (isChance) return null
  return { ending: 'latency', detail: `p99 ${Math.round(added)} ms longer, bound ${stop.addedP99Ms} ms` }
}

/** Of the last ten, those in which some answer of the cohort took longer than `ms`. */
function slowSeconds({ cohort: { seconds } }: DrillMeasures, ms: number): number {
  const last = seconds.at(-1)?.second ?? 0
  return seconds.slice(-10).filter(({ second, maxMs }) => second > last - 10 && maxMs > ms).length
}

/**
 * A node that was well when the drill began and fails now by itself.
 * @param watched Nodes of the homes' levels, in scope or not.
 */
export function failedMeanwhile(
  watched: ReadonlySet<NodeId>,
  before: readonly NodeReadings[],
  now: readonly NodeReadings[],
): Stop | null {
  const ill = new Set(before.filter(isFailing).map(({ node }) => node))
  const failed = now.find((one) => watched.has(one.node) && !ill.has(one.node) && isFailing(one))
  return failed === undefined ? null : { ending: 'failed', detail: failed.node }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
