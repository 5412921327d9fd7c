// How far two counts may lie apart by chance alone.

/** So many hits of so many requests. */
export interface Count {
  readonly hits: number
  readonly of: number
}

/** Standard errors that a difference has to exceed: about one time in twenty chance alone does it. */
const errorsApart = 2

/**
 * Of two shares, each request a hit or none: twice the standard error of their difference, as if both were of one kind
 * (the pooled two-proportion z-test). 0 where a side has no requests.
 */
export const shareNoise = (a: Count, b: Count): number => noise(a, b, (rate) => rate * (1 - rate))

/** The same where a request may bring several hits (Poisson). */
export const rateNoise = (a: Count, b: Count): number => noise(a, b, (rate) => rate)

function noise(a: Count, b: Count, varianceOf: (rate: number) => number): number {
  if (a.of === 0 || b.of === 0) return 0
  const pooled = (a.hits + b.hits) / (a.of + b.of)
  return errorsApart * Math.sqrt(Math.max(0, varianceOf(pooled)) * (1 / a.of + 1 / b.of))
}
