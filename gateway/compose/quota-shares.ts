// Donors' quotas shared with other gateways, where several have one registry.
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { machineNow, systemClock } from '../control/clock.ts'
import { QuotaFederation } from '../control/quota-shares/federation.ts'
import { freshName, memberName } from '../control/quota-shares/member-name.ts'
import type { Registry } from '../control/registry/port.ts'

/** So long an unheard gateway's minimum stays reserved: a day, in which somebody will have looked after it. */
const forgetMs = 86_400_000

/**
 * To be told of pledges, then started.
 * @returns `null` where this gateway is the only one on its registry.
 */
export async function openQuotaShares(
  { registry: settings, dataDir }: Config,
  registry: Registry,
  logger: Logger,
  started: AsyncDisposableStack,
): Promise<QuotaFederation | null> {
  if (settings.driver !== 'consul') return null
  const { leaseSeconds, roundMs } = settings.quotaShares
  const leaseMs = leaseSeconds * 1000
  const name = await memberName(dataDir)
  started.use(name)
  return started.use(
    new QuotaFederation({
      registry,
      clock: systemClock,
      now: machineNow,
      wallNow: Date.now,
      random: Math.random,
      terms: { leaseMs, roundMs, forgetMs: Math.max(forgetMs, 2 * leaseMs) },
      id: name.id,
      freshName,
      say: (level, text) => logger[level]({ event: 'quota-shares' }, text),
    }),
  )
}
