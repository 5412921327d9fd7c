// Who is turned away first when not everybody can be served, and when they are told to come back.

import type { RouteClass } from '../model/route-class.ts'

/** Priorities of a class, 0 most important to 100 least. */
interface Band {
  readonly from: number
  readonly to: number
}

const own: Readonly<Record<RouteClass, Band>> = {
  critical: { from: 0, to: 0 },
  important: { from: 30, to: 60 },
  deferrable: { from: 60, to: 100 },
}

/**
 * A donor's own residents come before those it helps. What is deferrable has no room above 100 and is narrowed. Checkpoints
 * are left to the queue here too: in a city whose own nodes are gone they would all be shed for the sake of others' waits.
 */
const borrowedBands: Readonly<Record<RouteClass, Band>> = {
  critical: { from: 0, to: 0 },
  important: { from: 40, to: 70 },
  deferrable: { from: 70, to: 100 },
}

/**
 * The curve of Netflix's Zuul ("Keeping Netflix Reliable Using Prioritized Load Shedding", 2020): admitted are
 * priorities up to `100 * (1 - x^3)`. A request's draw places it in its class's band, so that a class is shed a
 * little at a time and not all at once.
 *
 * @param borrowed The request is another home region's, and the node that would take it lends.
 * @param x Overload, 0 (nothing is shed) to 1 (only critical requests are admitted); clamped, NaN is 0.
 * @param draw Uniform in [0, 1), one for each request.
 * @example sheds('deferrable', false, 0.7, 0.5) // true: priority 80, admitted up to 65.7
 */
export function sheds(routeClass: RouteClass, borrowed: boolean, x: number, draw: number): boolean {
  if (!(x > 0)) return false
  const { from, to } = (borrowed ? borrowedBands : own)[routeClass]
  return from + (to - from) * draw > 100 * (1 - Math.min(1, x) ** 3)
}

/**
 * A `Retry-After` that does not bring everybody back in the same second.
 *
 * @param draw Uniform in [0, 1).
 * @param base The shortest wait, whole seconds.
 * @param spread Up to so many whole seconds more, each as likely.
 * @returns Whole seconds, `base` to `base + spread`.
 */
export const retryAfterSeconds = (draw: number, base: number, spread: number): number =>
  base + Math.floor(draw * (spread + 1))
