// When to ask a second node although the first has not failed yet.

export interface HedgeSettings {
  /** Bounds of the delay, ms. */
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Answers that a node must have given before its own p99 is trusted. */
  readonly minSamples: number
}

/**
 * How long to wait for a node before another one is asked as well: its own p99, within bounds
 * (Dean and Barroso, The Tail at Scale, 2013). A node we know little of gets the longest wait.
 */
export function hedgeDelayMs(p99Ms: number, samples: number, settings: HedgeSettings): number {
  if (samples < settings.minSamples) return settings.maxDelayMs
  return Math.min(settings.maxDelayMs, Math.max(settings.minDelayMs, Math.ceil(p99Ms)))
}
