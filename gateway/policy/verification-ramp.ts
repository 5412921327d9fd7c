// The measured ramp of a verification: how it rises, and when it harms the donor and must stop.

export interface RampBounds {
  /** Time for all steps together, ms. */
  readonly totalMs: number
  /** Requests of all steps together. */
  readonly mostRequests: number
  /** Rate that is never exceeded, whatever was pledged: the gateway that measures serves residents too. */
  readonly mostRps: number
}

export interface RampStep {
  readonly rps: number
  readonly durationMs: number
}

const shares = [0.05, 0.1, 0.25, 0.5, 0.75, 1] as const

/** Steps of equal length up to the pledge, shortened where they would send too much. */
export function rampPlan(pledgedRps: number, { totalMs, mostRequests, mostRps }: RampBounds): RampStep[] {
  const top = Math.min(pledgedRps, mostRps)
  const perMs = shares.reduce<number>((sum, share) => sum + (share * top) / 1000, 0)
  const durationMs = Math.min(totalMs / shares.length, mostRequests / perMs)
  return shares.map((share) => ({ rps: top * share, durationMs }))
}

/** What was seen since a step began. */
export interface StepStats {
  readonly answered: number
  /** No answer, or one that is no 200. */
  readonly errors: number
  /** 429 or 503. */
  readonly refusals: number
  /** Not sent, since as many were open as the donor pledged. */
  readonly unsent: number
  readonly p99Ms: number
  /** The most of a node's own word on its load, 0 to 1 and above. */
  readonly load: number
}

export type Harm = 'refused' | 'errors' | 'slow' | 'near-limit' | 'full'

/** Share of errors or of requests not sent above which it stops. */
const mostErrors = 0.01
/** Load by its own word at which a node is near its limit. */
const nearLimit = 0.9
/** Answers below which a p99 says nothing. */
export const samplesAtLeast = 20

/**
 * @param firstP99Ms The first step's; `null` while it is measured.
 * @param growthFloorMs A p99 that doubles from little is no harm yet: growth below this is noise.
 */
export function harmOf(stats: StepStats, firstP99Ms: number | null, growthFloorMs: number): Harm | null {
  const { answered, errors, refusals, unsent, p99Ms, load } = stats
  if (refusals > 0) return 'refused'
  if (load >= nearLimit) return 'near-limit'
  const all = answered + errors
  if (errors > 0 && errors / all > mostErrors) return 'errors'
  if (unsent > 0 && unsent / (all + unsent) > mostErrors) return 'full'
  if (firstP99Ms === null || answered < samplesAtLeast) return null
  return p99Ms > Math.max(2 * firstP99Ms, firstP99Ms + growthFloorMs) ? 'slow' : null
}

/** Smallest value that 99 % of `values` do not exceed; 0 of none. */
export function p99Of(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0
}
