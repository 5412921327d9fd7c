// What this process may take of each donor's pledge, where several processes share it.

/** What a donor pledges: requests a second, or requests open at once, which can't be cut. A donor may bound both. */
export type PledgeUnit = 'rps' | 'open'

/** Name of a donor's pledge, such as `610400 rps`. */
export const pledgeName = (donor: string, unit: PledgeUnit): string => `${donor} ${unit}`

/** Something of each pledge, by the pledge's name, in its unit. */
export type Rates = Readonly<Record<string, number>>

/**
 * One process's part of the donors' pledges. Whoever divides (the gateways among themselves, the primary of each among its
 * workers) hears every process's demand once a second and answers with new shares. The shares of all processes together
 * never exceed a pledge. A process that hears no answer keeps its last share, and that share stays reserved for it.
 */
export interface QuotaShares {
  /** Part of a pledge that may be taken until whoever divides has heard of it, 0 to 1. */
  readonly unheardPart: number
  /**
   * What this process may take of a pledge for other regions' residents, in its unit: 0 or more, whole where it can't be
   * cut. `undefined` where the donor set no such bound, or whoever divides has not heard of it yet.
   *
   * @param pledge By {@link pledgeName}.
   */
  share(pledge: string): number | undefined
  /**
   * Says what was wanted. To be called once a second, also when nothing was wanted: who stays silent for
   * three seconds keeps its share and takes no part in dividing.
   *
   * @param demands By pledge, what would have been taken in the last second had there been no quota: what was refused
   *   for it included, else a process that got little would never be seen to want more. Missing means 0.
   * @param inUse By pledge, what this process may be taking now: its part, or what is open still where that is more.
   *   Others are given nothing of it.
   */
  report(demands: Rates, inUse: Rates): void
  /** @param changed Called whenever shares have changed: one process must not use what another was given since. */
  watch(changed: () => void): void
}
