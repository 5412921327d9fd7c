// How what a donor lends is divided among those who borrow: gateways, or the workers of one.

/** Part of an equal share that each claimant has whatever it asked for: a first request need not wait for a second. */
export const minimumPart = 0.25

/** A bound that keeps sums finite. */
const mostWanted = 1e15

/**
 * Shares of a rate. Weighted max-min: each claimant has a fair minimum, a quarter of an equal share. What is left goes to
 * those who want more. If it suffices, each gets what it wants and the remainder is headroom in equal parts; if not,
 * each gets the same part of what it wants beyond its minimum, so that a resident is as likely to be served by one
 * process as by another. Nobody is short while somebody else has more than it wants and its minimum.
 *
 * @param pledge What there is to divide, such as requests a second; below 0 counts as 0.
 * @param demands What each claimant wants, in the pledge's unit; what is not a number above 0 counts as 0.
 * @returns Shares in the order of `demands`. Their sum is the pledge, but for rounding in the last digit.
 * @example divide(100, [10, 300]) // [12.5, 87.5]
 */
export function divide(pledge: number, demands: readonly number[]): number[] {
  const claimants = demands.length
  const all = Math.max(0, pledge)
  if (claimants === 0) return []
  const minimum = (all / claimants) * minimumPart
  const wants = demands.map((demand) => (demand > minimum ? Math.min(demand, mostWanted) - minimum : 0))
  const wanted = wants.reduce((sum, want) => sum + want, 0)
  const rest = all * (1 - minimumPart)
  if (wanted <= rest) return wants.map((want) => minimum + want + (rest - wanted) / claimants)
  return wants.map((want) => minimum + (rest * want) / wanted)
}

/**
 * The same for things that can't be cut, such as requests open at once. The largest remainders get what rounding left,
 * and whoever wants any has one before others have their second. Where there are fewer than want one, they take turns.
 *
 * @param pledge Its whole part is divided.
 * @param turn Whose turn it is among equals: counts up with every division.
 * @returns Whole shares; their sum is the whole part of the pledge.
 * @example divideWhole(3, [0, 0]) // [2, 1]
 */
export function divideWhole(pledge: number, demands: readonly number[], turn = 0): number[] {
  const all = Math.floor(Math.max(0, pledge))
  const exact = divide(all, demands)
  const shares = exact.map(Math.floor)
  const left = all - shares.reduce((sum, share) => sum + share, 0)
  const wanting = demands.filter((demand) => demand > 0).length
  const shift = wanting > all ? turn : 0
  const place = (i: number): number => (i + shift) % demands.length
  const byRemainder = exact
    .map((share, i) => ({ i, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || place(a.i) - place(b.i))
  for (const { i } of byRemainder.slice(0, demands.length === 0 ? 0 : left)) shares[i] = (shares[i] ?? 0) + 1
  return wanting > all ? shares : oneForEach(shares, demands)
}

/** Moves one from whoever can best spare it to each who wants any and has none. */
function oneForEach(shares: number[], demands: readonly number[]): number[] {
  const wants = (i: number): boolean => (demands[i] ?? 0) > 0
  const spare = (i: number): number => (shares[i] ?? 0) - (wants(i) ? 1 : 0)
  for (const [i, share] of shares.entries()) {
    if (share > 0 || !wants(i)) continue
    const richest = shares.reduce((best, _, j) => (spare(j) > spare(best) ? j : best), 0)
    if (spare(richest) < 1) return shares
    shares[richest] = (shares[richest] ?? 0) - 1
    shares[i] = 1
  }
  return shares
}

/** Part by which a demand that falls is followed, a second. */
const fallingPart = 0.3

/**
 * A demand as others are told it: what rises counts at once, what falls is followed slowly (EWMA), so that a share
 * does not go to and fro with every pause.
 *
 * @param before What was told a second ago.
 */
export const steadyDemand = (before: number, now: number): number =>
  Math.max(now, before + (now - before) * fallingPart)
