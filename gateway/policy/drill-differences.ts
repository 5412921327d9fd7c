// What two drills did not have in common, and whether their figures can be compared all the same.
import type { Fault } from '../model/drill.ts'
import type { DrillReport } from './drill-report.ts'

/**
 * In what they differ. Of the plan: `fault`, `homes`, `targets` (regions, nodes and levels in scope), `cohort`,
 * `seconds`, `objectives`. Of the run: `ran` (how long the fault was on), `traffic` (requests a second under it),
 * `evidence` (one of them did not run its time, or nobody asked meanwhile).
 */
export const differenceNames = [
  'fault',
  'homes',
  'targets',
  'cohort',
  'seconds',
  'objectives',
  'ran',
  'traffic',
  'evidence',
] as const
export type DifferenceName = (typeof differenceNames)[number]

export interface PlanDifference {
  readonly name: DifferenceName
  /** `breaks`: no figure of one says anything about the other's. `shades`: to be kept in mind. */
  readonly effect: 'breaks' | 'shades'
  readonly before: string
  readonly after: string
}

/** Of the larger of two lengths; a fault ends within a second of its time. */
const lengthTolerance = 0.1
/** With more than half as much again, donors and queues are another matter. */
const trafficFactor = 1.5

export function differencesOf(before: DrillReport, after: DrillReport): PlanDifference[] {
  const text = (
    name: DifferenceName,
    effect: PlanDifference['effect'],
    read: (report: DrillReport) => string,
  ): PlanDifference[] => {
    const [a, b] = [read(before), read(after)]
    return a === b ? [] : [{ name, effect, before: a, after: b }]
  }
  const number = (
    name: DifferenceName,
    read: (report: DrillReport) => number | null,
    isAlike: (small: number, large: number) => boolean,
    unit: string,
  ): PlanDifference[] => {
    const [a, b] = [read(before), read(after)]
    const isSame = a === null || b === null ? a === b : isAlike(Math.min(a, b), Math.max(a, b))
    const told = (value: number | null): string =>
      value === null ? '–' : `${Number(value.toFixed(1))} ${unit}`
    return isSame ? [] : [{ name, effect: 'shades', before: told(a), after: told(b) }]
  }
  return [
    ...text('fault', 'breaks', ({ fault }) => faultText(fault)),
    ...text('homes', 'breaks', ({ scope }) => listText(scope.homes)),
    ...text('targets', 'breaks', targetsText),
    ...text('cohort', 'shades', ({ cohortShare }) => percent(cohortShare)),
    ...text('seconds', 'shades', ({ seconds }) => `${seconds} s`),
    ...text('objectives', 'shades', objectivesText),
    ...number('ran', ranSeconds, (small, large) => large - small <= lengthTolerance * large, 's'),
    ...number('traffic', trafficRps, (small, large) => large <= trafficFactor * small, 'rps'),
    ...text('evidence', 'shades', evidenceText),
  ]
}

const percent = (share: number): string => `${Number((100 * share).toFixed(4))} %`
const listText = (names: readonly string[]): string => [...new Set(names)].sort().join(', ') || '–'

const targetsText = ({ scope: { levels, regions, nodes } }: DrillReport): string =>
  [levels, regions, nodes]
    .filter((names) => names.length > 0)
    .map(listText)
    .join('; ') || '–'

function faultText(fault: Fault): string {
  if (fault.kind === 'latency') return `latency ${fault.ms} ± ${fault.jitterMs} ms`
  if (fault.kind === 'errors') return `errors ${percent(fault.share)} ${fault.status}`
  return fault.kind === 'quota-cut' ? `quota-cut ${percent(fault.share)}` : fault.kind
}

const objectivesText = ({ objectives }: DrillReport): string =>
  listText(objectives.map(({ objective, bound }) => `${objective} ${bound}`))

/** How long the fault was on, by whoever put it on. */
function ranSeconds({ timeline: { faultOn, faultOff } }: DrillReport): number | null {
  return faultOn === undefined || faultOff === undefined ? null : Math.max(0, faultOff - faultOn) / 1000
}

/** Of cohort and control. */
function trafficRps(report: DrillReport): number | null {
  const seconds = ranSeconds(report)
  const requests = report.cohort.underFault.requests + report.control.underFault.requests
  return seconds === null || seconds === 0 ? null : requests / seconds
}

const evidenceText = ({ verdict, run }: DrillReport): string =>
  verdict === 'passed' || verdict === 'failed' ? 'whole' : `${verdict} ${run.ending ?? ''}`.trim()
