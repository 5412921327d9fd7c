// How fast a node that came back is trusted again.

export interface SlowStart {
  /** Time from its return until it takes all of its residents again, ms; 0 switches the ramp off. */
  readonly windowMs: number
  /** Share that it takes at once, above 0 to 1. */
  readonly initialShare: number
}

/** Share of its residents that a node takes `sinceMs` after it came back (Envoy's slow start, aggression 1). */
export function rampShare(sinceMs: number, settings: SlowStart): number {
  if (sinceMs >= settings.windowMs) return 1
  return Math.min(1, Math.max(settings.initialShare, sinceMs / settings.windowMs))
}
