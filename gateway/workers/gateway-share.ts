// The primary's part in the donors' quotas: what its gateway has of each pledge is what its workers divide.
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { openQuotaShares } from '../compose/quota-shares.ts'
import type { QuotaFederation } from '../control/quota-shares/federation.ts'
import type { Registry } from '../control/registry/port.ts'
import type { QuotaSharing } from '../model/quota-sharing.ts'
import type { Measured } from '../model/readings.ts'
import type { Pledges } from '../policy/pledges.ts'
import { gaugesOfQuotas } from '../telemetry/quota-gauges.ts'
import type { Crew } from './crew.ts'

export class GatewayShare {
  private readonly crew: Crew
  private readonly sharesWithOthers: boolean
  private pledges: Pledges = {}
  private federation: QuotaFederation | null = null

  constructor(crew: Crew, { registry }: Config) {
    this.crew = crew
    this.sharesWithOthers = registry.driver === 'consul'
  }

  /** What donors lend in all. Where others share it, workers have nothing of it before {@link begin}. */
  usePledges(pledges: Pledges): void {
    this.pledges = pledges
    if (this.sharesWithOthers) this.federation?.usePledges(pledges)
    else this.crew.usePledges(pledges)
  }

  /** To be called when the registry is there. */
  async begin(
    config: Config,
    registry: Registry,
    logger: Logger,
    started: AsyncDisposableStack,
  ): Promise<void> {
    const federation = await openQuotaShares(config, registry, logger, started)
    if (federation === null) return
    this.federation = federation
    federation.usePledges(this.pledges)
    this.crew.share(federation)
    gaugesOfQuotas(this.crew.copies.metrics.registry, () => federation.readings())
    federation.start()
  }

  get warnings(): readonly string[] {
    return this.federation?.warnings ?? []
  }

  /** Workers know their parts only: the gateway's own is told here. */
  toldIn(measured: Measured): Measured {
    const sharing = (): QuotaSharing | null => this.federation?.readings() ?? null
    return {
      async read() {
        const readings = await measured.read()
        return { ...readings, gateway: { ...readings.gateway, quotaSharing: sharing() } }
      },
    }
  }
}
