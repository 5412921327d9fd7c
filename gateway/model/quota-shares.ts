// What this process may take of each donor's pledge, where several processes share it.

/**
 * One process's part of the donors' pledges. Whoever divides (the primary among its workers, later Consul among
 * gateways) hears every process's demand once a second and answers with new shares. The shares of all processes together
 * never exceed a pledge. A process that hears no answer keeps its last share, and that share stays reserved for it.
 */
export interface QuotaShares {
  /**
   * Requests a second that this process may send to `donor` for other regions' residents: real, 0 or more. Asked on the
   * hot path, so it is a look into a map. `undefined` where the donor set no bound.
   *
   * @param donor Code of the lending region, such as `610400`.
   */
  share(donor: string): number | undefined
  /**
   * Says what was wanted. To be called once a second, also when nothing was wanted: who stays silent for
   * three seconds keeps its share and takes no part in dividing.
   *
   * @param demands By donor, requests of the last second that would have gone to it had there been no quota: those
   *   refused for it included, else a process that got little would never be seen to want more. Missing means 0.
   */
  report(demands: Readonly<Record<string, number>>): void
  /** @param changed Called whenever shares have changed: one process must not use what another was given since. */
  watch(changed: () => void): void
}
