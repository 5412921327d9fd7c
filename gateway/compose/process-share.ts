// A process's part of what donors lend: all of it, what its primary gives it, or what its gateway shares with others.
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../control/clock.ts'
import type { Board } from '../control/health/board.ts'
import { QuotaKeeper } from '../control/quota-keeper.ts'
import type { QuotaFederation } from '../control/quota-shares/federation.ts'
import { OwnQuotas } from '../control/quota-shares/own-quotas.ts'
import type { Registry } from '../control/registry/port.ts'
import type { QuotaShares } from '../model/quota-shares.ts'
import type { QuotaSharing } from '../model/quota-sharing.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { pledgesOf } from '../policy/pledges.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { gaugesOfQuotas } from '../telemetry/quota-gauges.ts'
import { openQuotaShares } from './quota-shares.ts'

export class ProcessShare {
  private readonly federation: QuotaFederation | null
  private readonly keeper: QuotaKeeper | null

  private constructor(federation: QuotaFederation | null, keeper: QuotaKeeper | null) {
    this.federation = federation
    this.keeper = keeper
  }

  /** @param given By a primary; `null` where this process is its whole gateway. */
  static async open(
    given: QuotaShares | null,
    parts: { config: Config; registry: Registry; board: Board; metrics: Metrics; logger: Logger },
    started: AsyncDisposableStack,
  ): Promise<ProcessShare> {
    const { config, registry, board, metrics, logger } = parts
    const federation = given === null ? await openQuotaShares(config, registry, logger, started) : null
    const quotas = federation === null ? given : new OwnQuotas(federation)
    const keeper = quotas === null ? null : started.use(new QuotaKeeper(board, quotas, systemClock))
    if (federation !== null) gaugesOfQuotas(metrics.registry, () => federation.readings())
    return new ProcessShare(federation, keeper)
  }

  /** To be called after the board has followed the snapshot. */
  follow({ lending }: Pick<Snapshot, 'lending'>): void {
    this.federation?.usePledges(pledgesOf(lending))
    this.keeper?.follow()
  }

  /** To be called after the first snapshot. */
  start(): void {
    this.federation?.start()
  }

  /** What is amiss, one line each. */
  readonly warnings = (): readonly string[] => this.federation?.warnings ?? []

  readonly sharing = (): QuotaSharing | null => this.federation?.readings() ?? null
}
