// A worker's side of the donors' quotas: what it was given last.
import type { QuotaShares, Rates } from '../model/quota-shares.ts'
import type { ToldShares } from './told-shares.ts'

/** What a worker says once a second. See {@link QuotaShares.report}. */
export interface QuotaReport {
  readonly demands: Rates
  readonly inUse: Rates
  /** Of the message whose shares these are. */
  readonly told: number
}

export class SharedQuotas implements QuotaShares {
  readonly unheardPart: number
  private last: ToldShares
  private readonly tell: (report: QuotaReport) => void
  private readonly now: () => number
  private changed = (): void => {}

  /**
   * @param tell Takes a report to whoever divides.
   * @param unheardPart See {@link QuotaShares.unheardPart}.
   * @param now ms by the machine's monotonic clock.
   */
  constructor(
    first: ToldShares,
    tell: (report: QuotaReport) => void,
    unheardPart: number,
    now: () => number,
  ) {
    this.last = first
    this.tell = tell
    this.unheardPart = unheardPart
    this.now = now
  }

  share(pledge: string): number | undefined {
    const { shares, lapse } = this.last
    if (lapse === null || this.now() < lapse.leaseAt) return shares[pledge]
    if (shares[pledge] === undefined) return undefined
    return this.now() < lapse.forgottenAt ? (lapse.floors[pledge] ?? 0) : 0
  }

  report(demands: Rates, inUse: Rates): void {
    this.tell({ demands, inUse, told: this.last.number })
  }

  watch(changed: () => void): void {
    this.changed = changed
  }

  use(told: ToldShares): void {
    this.last = told
    this.changed()
  }
}
