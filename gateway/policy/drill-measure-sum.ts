// What several processes measured of the same drill, as one.
import {
  type DrillMeasures,
  type GroupCounts,
  type Moment,
  moments,
  type RecentCounts,
  type SecondCount,
  type Timeline,
} from './drill-measure.ts'
import { allHeard } from './drill-own-trips.ts'

/** Moments that are there when the last process has come to them; all others when the first has. */
const latest: ReadonlySet<Moment> = new Set<Moment>(['detected', 'shifted', 'recovered', 'faultOff'])

/** `null` where no process took part. Of p99s the highest is told. */
export function addedUp(all: readonly DrillMeasures[]): DrillMeasures | null {
  const [first, ...others] = all
  if (first === undefined) return null
  return others.reduce(
    (sum, one) => ({
      timeline: timelines(sum.timeline, one.timeline),
      cohort: groups(sum.cohort, one.cohort),
      control: groups(sum.control, one.control),
      events: [...sum.events, ...one.events].toSorted((a, b) => a.at - b.at),
      heard: allHeard(sum.heard, one.heard),
      recent: {
        cohort: recents(sum.recent.cohort, one.recent.cohort),
        control: recents(sum.recent.control, one.recent.control),
      },
    }),
    first,
  )
}

function timelines(a: Timeline, b: Timeline): Timeline {
  const sum: Partial<Record<Moment, number>> = { ...a, ...b }
  for (const moment of moments) {
    const [x, y] = [a[moment], b[moment]]
    if (x !== undefined && y !== undefined) sum[moment] = latest.has(moment) ? Math.max(x, y) : Math.min(x, y)
  }
  return sum
}

function groups(a: GroupCounts, b: GroupCounts): GroupCounts {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    retries: a.retries + b.retries,
    hedges: a.hedges + b.hedges,
    coalesced: a.coalesced + b.coalesced,
    outcomes: counts(a.outcomes, b.outcomes),
    byLevel: counts(a.byLevel, b.byLevel),
    seconds: seconds(a.seconds, b.seconds),
    latency: a.latency.map((count, i) => count + (b.latency[i] ?? 0)),
    underFault: {
      requests: a.underFault.requests + b.underFault.requests,
      errors: a.underFault.errors + b.underFault.errors,
    },
  }
}

function counts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

function seconds(a: readonly SecondCount[], b: readonly SecondCount[]): SecondCount[] {
  const sum = new Map(a.map((one) => [one.second, { ...one }]))
  for (const one of b) {
    const same = sum.get(one.second)
    if (same === undefined) sum.set(one.second, { ...one })
    else {
      same.requests += one.requests
      same.errors += one.errors
      same.sumMs += one.sumMs
      same.maxMs = Math.max(same.maxMs, one.maxMs)
    }
  }
  return [...sum.values()].sort((x, y) => x.second - y.second)
}

const recents = (a: RecentCounts, b: RecentCounts): RecentCounts => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  p99Ms: a.p99Ms === null ? b.p99Ms : Math.max(a.p99Ms, b.p99Ms ?? 0),
})
