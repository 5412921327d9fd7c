// What this process may take of each donor's pledge, where several processes share it.

/** What a donor pledges: requests a second, or requests open at once, which can't be cut. A donor may bound both. */
export type PledgeUnit = 'rps' | 'open'

/** Name of a donor's pledge, such as `610400 rps`. */
export const pledgeName = (donor: string, unit: PledgeUnit): string => `${donor} ${unit}`

/**
 * One process's part of the donors' pledges. Whoever divides (the primary among its workers, later Consul among
 * gateways) hears every process's demand once a second and answers with new shares. The shares of all processes together
 * never exceed a pledge. A process that hears no answer keeps its last share, and that share stays reserved for it.
 */
export interface QuotaShares {
  /**
   * What this process may take of a pledge for other regions' residents, in its unit: 0 or more, whole where it can't be
   * cut. `undefined` where the donor set no such bound.
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
   */
  report(demands: Readonly<Record<string, number>>): void
  /** @param changed Called whenever shares have changed: one process must not use what another was given since. */
  watch(changed: () => void): void
}
