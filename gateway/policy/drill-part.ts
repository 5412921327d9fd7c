// One gateway's part of what is measured of a drill: thinned out to be kept, gone on from after a restart, told of.
import type { DrillMeasures, GroupCounts, RecentCounts, SecondCount } from './drill-measure.ts'
import { addedUp } from './drill-measure-sum.ts'
import type { DrillReport } from './drill-report.ts'

/** Wall-clock milliseconds since 1970, of the gateway's own clock. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** When a gateway measured, and when it did not: it was gone, and residents that it may have served are in no figure. */
export interface PartSpans extends Span {
  readonly missing: readonly Span[]
}

export interface GatewayPart extends PartSpans {
  /** Its own name; no two gateways of a federation share one. */
  readonly gateway: string
}

/** Seconds are kept one by one so long, then two, four and so on together: their sums stay exact. */
const secondsKept = 600
const eventsKept = 200
/** One that went on a little longer may not have told so, ms: parts are kept every two seconds. */
const goneAtLeastMs = 5000

const none: RecentCounts = { requests: 0, errors: 0, p99Ms: null }

/** Of a bounded size, however long the drill. */
export const thinned = (measures: DrillMeasures): DrillMeasures => ({
  ...measures,
  cohort: thinnedGroup(measures.cohort),
  control: thinnedGroup(measures.control),
  events: measures.events.slice(0, eventsKept),
})

function thinnedGroup(group: GroupCounts): GroupCounts {
  const last = group.seconds.at(-1)?.second ?? 0
  let step = 1
  while (last / step >= secondsKept) step *= 2
  const together = Map.groupBy(group.seconds, ({ second }) => second - (second % step))
  return { ...group, seconds: [...together].map(([second, all]) => ofAll(second, all)) }
}

const ofAll = (second: number, all: readonly SecondCount[]): SecondCount => ({
  second,
  requests: all.reduce((sum, one) => sum + one.requests, 0),
  errors: all.reduce((sum, one) => sum + one.errors, 0),
  sumMs: tenths(all.reduce((sum, one) => sum + one.sumMs, 0)),
  maxMs: tenths(Math.max(...all.map(({ maxMs }) => maxMs))),
})

const tenths = (ms: number): number => Math.round(ms * 10) / 10

/** What was measured of it lately is of no use for its stop conditions any more. */
export const agedOut = (measures: DrillMeasures): DrillMeasures => ({
  ...measures,
  recent: { cohort: none, control: none },
})

/** The same gateway's, before and after it was started anew: moments that had come do not come again. */
export function continued(before: DrillMeasures, after: DrillMeasures | null): DrillMeasures {
  const old = agedOut(before)
  const sum = after === null ? old : (addedUp([old, after]) ?? old)
  return { ...sum, timeline: { ...after?.timeline, ...before.timeline } }
}

/** @param before Of the process before this one; `null` where there was none. @param now When it measures again. */
export function spansFrom(before: PartSpans | null, now: number): PartSpans {
  if (before === null) return { from: now, to: now, missing: [] }
  const { from, to, missing } = before
  return { from, to: now, missing: [...missing, { from: to, to: now }] }
}

const withGap = ({ to, missing }: PartSpans, until: number): readonly Span[] =>
  until - to < goneAtLeastMs ? missing : [...missing, { from: to, to: until }]

/**
 * The report with the gateways that took part.
 * @param parts `unheard`: its last word was that its residents are on their way back. It is missing from then on.
 * @param endedAt When the fault came off: a gateway that was not heard of until then is missing from its last word on.
 * @param now When the report is written.
 * @returns It is `interrupted` where some of its figures are missing: what can't be known is not passed.
 */
export function withGateways(
  report: DrillReport,
  parts: readonly (GatewayPart & { readonly unheard: boolean })[],
  endedAt: number,
  now: number,
): DrillReport {
  const gateways = parts.map(({ unheard, ...part }) => ({
    ...part,
    missing: unheard
      ? [...part.missing, { from: part.to, to: Math.max(part.to, now) }]
      : withGap(part, endedAt),
  }))
  const isWhole = gateways.every(({ missing }) => missing.length === 0)
  return { ...report, gateways, verdict: isWhole ? report.verdict : 'interrupted' }
}
