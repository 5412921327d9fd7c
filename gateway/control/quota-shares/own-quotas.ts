// What a gateway of one process may take of donors' pledges, where it shares them with other gateways.
import type { QuotaShares, Rates } from '../../model/quota-shares.ts'
import type { QuotaFederation } from './federation.ts'

export class OwnQuotas implements QuotaShares {
  readonly unheardPart = 0
  private readonly federation: QuotaFederation

  constructor(federation: QuotaFederation) {
    this.federation = federation
  }

  share(pledge: string): number | undefined {
    return this.federation.share(pledge)
  }

  report(demands: Rates, inUse: Rates): void {
    this.federation.report(demands, inUse)
  }

  watch(changed: () => void): void {
    this.federation.watch(changed)
  }
}
