// What is counted while a drill is on, of its cohort and of the control beside it, and the moments that matter.
import type { AttemptKind, RequestOutcome } from '../model/events.ts'
import type { NodeId } from '../model/ids.ts'
import { type NodeHeard, OwnTrips } from './drill-own-trips.ts'
import { LatencyHistogram } from './latency-histogram.ts'

/**
 * Moments of a drill, wall-clock milliseconds since 1970:
 * - `faultOn`, `faultOff`: as this process did it;
 * - `firstFailure`: the first attempt at a node in scope that failed;
 * - `breakerOpen`: the first breaker of the cohort opened;
 * - `detected`: every node in scope is known to be bad;
 * - `firstElsewhere`: the first request that another node answered after the fault was met;
 * - `shifted`: the last request that had begun before `detected` is answered;
 * - `firstHome`: the first answer of a node in scope after the fault;
 * - `recovered`: every node in scope is trusted with all of its residents again.
 */
export const moments = [
  'faultOn',
  'firstFailure',
  'breakerOpen',
  'detected',
  'firstElsewhere',
  'shifted',
  'faultOff',
  'firstHome',
  'recovered',
] as const
export type Moment = (typeof moments)[number]
export type Timeline = Readonly<Partial<Record<Moment, number>>>

/** One second of one group, by the second since the drill began. */
export interface SecondCount {
  readonly second: number
  requests: number
  errors: number
  sumMs: number
  maxMs: number
}

/** What is counted of the cohort or of the control. */
export interface GroupCounts {
  readonly requests: number
  /** Residents saw it fail. */
  readonly errors: number
  readonly outcomes: Readonly<Partial<Record<RequestOutcome, number>>>
  readonly retries: number
  readonly hedges: number
  readonly coalesced: number
  /** Requests by `level region`, or `none`. */
  readonly byLevel: Readonly<Record<string, number>>
  readonly seconds: readonly SecondCount[]
  /** While the fault was on; see {@link LatencyHistogram}. */
  readonly latency: readonly number[]
  /** Requests that ended while the fault was on, and those of them that failed. */
  readonly underFault: { readonly requests: number; readonly errors: number }
}

/** One process's part; those of several add up by {@link addedUp}. */
export interface DrillMeasures {
  readonly timeline: Timeline
  readonly cohort: GroupCounts
  readonly control: GroupCounts
  /** Changes of breakers and health in the cohort's view, and faults that were met, oldest first. */
  readonly events: readonly DrillEvent[]
  /** Of each node in scope, what would have been found out of it by itself. */
  readonly heard: readonly NodeHeard[]
  /** Of the last ten seconds. */
  readonly recent: { readonly cohort: RecentCounts; readonly control: RecentCounts }
}

export interface RecentCounts {
  readonly requests: number
  readonly errors: number
  readonly p99Ms: number | null
}

export interface DrillEvent {
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
  readonly node: NodeId
  /** Such as `breaker open` or `probes fail`. `real` where it is no part of the drill. */
  readonly what: string
  readonly real: boolean
}

const eventsAtMost = 500
/** A drill lasts an hour at the most, and some time before and after. */
const secondsAtMost = 4000
const recentSeconds = 10

/** What a resident saw fail. One who left, or who asked for what was wrong in itself, saw nothing fail. */
export const isVisibleError = (outcome: RequestOutcome): boolean =>
  outcome === 'upstream-error' || outcome === 'unavailable' || outcome === 'cut' || outcome === 'shed'

/** Counts of one group in the making. All times are wall-clock milliseconds since 1970. */
export class Group {
  private readonly startedAt: number
  private requests = 0
  private errors = 0
  private readonly outcomes: Partial<Record<RequestOutcome, number>> = {}
  private retries = 0
  private hedges = 0
  private coalesced = 0
  private readonly byLevel = new Map<string, number>()
  private readonly seconds: SecondCount[] = []
  private readonly latency = new LatencyHistogram()
  private readonly underFault = { requests: 0, errors: 0 }
  /** Histograms of the last seconds, newest last. */
  private readonly lately: { readonly second: number; readonly latency: LatencyHistogram }[] = []

  constructor(startedAt: number) {
    this.startedAt = startedAt
  }

  /** @param level `level region`, or `none`. @param underFault The fault was on. */
  ended(level: string, outcome: RequestOutcome, durationMs: number, at: number, underFault: boolean): void {
    const failed = isVisibleError(outcome)
    this.requests += 1
    if (failed) this.errors += 1
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
    this.byLevel.set(level, (this.byLevel.get(level) ?? 0) + 1)
    const second = this.secondAt(at)
    if (second !== null) {
      second.requests += 1
      if (failed) second.errors += 1
      second.sumMs += durationMs
      second.maxMs = Math.max(second.maxMs, durationMs)
    }
    if (outcome !== 'client-left') this.latelyAt(at).record(durationMs)
    if (!underFault) return
    this.underFault.requests += 1
    if (failed) this.underFault.errors += 1
    if (outcome !== 'client-left') this.latency.record(durationMs)
  }

  tried(kind: AttemptKind): void {
    if (kind === 'retry') this.retries += 1
    else if (kind === 'hedge') this.hedges += 1
  }

  joined(): void {
    this.coalesced += 1
  }

  get counts(): GroupCounts {
    const { requests, errors, retries, hedges, coalesced } = this
    return {
      requests,
      errors,
      retries,
      hedges,
      coalesced,
      outcomes: { ...this.outcomes },
      byLevel: Object.fromEntries(this.byLevel),
      seconds: this.seconds.map((second) => ({ ...second })),
      latency: [...this.latency.counts],
      underFault: { ...this.underFault },
    }
  }

  recent(now: number): RecentCounts {
    const from = this.ordinal(now) - recentSeconds
    const all = new LatencyHistogram()
    for (const { second, latency } of this.lately) if (second > from) all.add(latency)
    const seconds = this.seconds.slice(-recentSeconds - 1).filter(({ second }) => second > from)
    return {
      requests: seconds.reduce((sum, one) => sum + one.requests, 0),
      errors: seconds.reduce((sum, one) => sum + one.errors, 0),
      p99Ms: all.quantile(0.99),
    }
  }

  private ordinal(at: number): number {
    return Math.max(0, Math.floor((at - this.startedAt) / 1000))
  }

  private secondAt(at: number): SecondCount | null {
    const second = this.ordinal(at)
    const last = this.seconds.at(-1)
    if (last?.second === second) return last
    if (this.seconds.length >= secondsAtMost) return null
    const next = { second, requests: 0, errors: 0, sumMs: 0, maxMs: 0 }
    this.seconds.push(next)
    return next
  }

  private latelyAt(at: number): LatencyHistogram {
    const second = this.ordinal(at)
    const last = this.lately.at(-1)
    if (last?.second === second) return last.latency
    const latency = new LatencyHistogram()
    this.lately.push({ second, latency })
    if (this.lately.length > recentSeconds + 1) this.lately.shift()
    return latency
  }
}

/** One process's measures of one drill, in the making. All times are wall-clock milliseconds since 1970. */
export class MeasuresInTheMaking {
  readonly cohort: Group
  readonly control: Group
  readonly ownTrips = new OwnTrips()
  private readonly times: Partial<Record<Moment, number>> = {}
  private readonly events: DrillEvent[] = []

  constructor(startedAt: number) {
    this.cohort = new Group(startedAt)
    this.control = new Group(startedAt)
  }

  /** When it came; `undefined` while it has not. */
  at(moment: Moment): number | undefined {
    return this.times[moment]
  }

  /** Keeps the first. */
  first(moment: Moment, at: number): void {
    this.times[moment] ??= at
  }

  /** Keeps the latest. */
  last(moment: Moment, at: number): void {
    this.times[moment] = Math.max(this.times[moment] ?? 0, at)
  }

  happened(event: DrillEvent): void {
    if (this.events.length < eventsAtMost) this.events.push(event)
  }

  get isFaultOn(): boolean {
    return this.times.faultOn !== undefined && this.times.faultOff === undefined
  }

  read(now: number): DrillMeasures {
    return {
      timeline: { ...this.times },
      cohort: this.cohort.counts,
      control: this.control.counts,
      events: [...this.events],
      heard: this.ownTrips.read(),
      recent: { cohort: this.cohort.recent(now), control: this.control.recent(now) },
    }
  }
}
