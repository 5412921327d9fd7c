// When a worker that ended is replaced: at once, unless it ends again and again before it has served.

/** A worker that was ready for so long had a good start, ms. */
export const settledMs = 10_000

const firstPauseMs = 250
const longestPauseMs = 10_000

/**
 * @param early Ends of this worker's place in a row before it was settled, the last one included; 0 after a good life.
 * @returns Pause before the next start, ms: 0, 0, 250, 500, 1000 and so on up to 10 s.
 */
export const respawnPauseMs = (early: number): number =>
  early <= 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(early - 2, 30))

/** @param servedMs How long it was ready; 0 if it never was. */
export const earlyEnds = (before: number, servedMs: number): number =>
  servedMs >= settledMs ? 0 : before + 1
