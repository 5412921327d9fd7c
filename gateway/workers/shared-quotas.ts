// A worker's side of the donors' quotas: what it was given last.
import type { QuotaShares } from '../model/quota-shares.ts'
import type { Rates } from './quota-desk.ts'

export class SharedQuotas implements QuotaShares {
  private shares: ReadonlyMap<string, number>
  private readonly tell: (demands: Rates) => void
  private changed = (): void => {}

  /** @param tell Takes a report to whoever divides. */
  constructor(shares: Rates, tell: (demands: Rates) => void) {
    this.shares = new Map(Object.entries(shares))
    this.tell = tell
  }

  share(donor: string): number | undefined {
    return this.shares.get(donor)
  }

  report(demands: Rates): void {
    this.tell(demands)
  }

  watch(changed: () => void): void {
    this.changed = changed
  }

  use(shares: Rates): void {
    this.shares = new Map(Object.entries(shares))
    this.changed()
  }
}
