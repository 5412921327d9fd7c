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

/** Delays of a node that nothing is known of: patience for a slow one that was only just started. */
const unknownDelays = 3

/**
 * An answer that several wait for is one request in place of many, and stays one: a second node is asked not when the
 * first is slow, only when it is gone (silent three times in a row). How long each of those times is: the node's own
 * p99, however long, since a node known to be slow is no reason to send a storm on twice.
 */
export function sharedPatienceMs(p99Ms: number, samples: number, settings: HedgeSettings): number {
  const { minDelayMs, maxDelayMs } = settings
  return samples === 0 ? unknownDelays * maxDelayMs : Math.max(minDelayMs, Math.ceil(p99Ms))
}
