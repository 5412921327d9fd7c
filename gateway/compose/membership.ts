// This gateway's place among those of its federation, where the registry is one that they share.
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { AgentError, ConsulAgent } from '../../region-node/registration/agent.ts'
import type { Config } from '../../config/schema.ts'
import { Membership } from '../control/membership/membership.ts'
import { UsageError } from '../model/errors.ts'
import { consulAccess } from './consul-access.ts'

/** A stop waits for two of them at the most. */
const deadlineAtMostMs = 2000

/**
 * Nobody is told of it before it joins.
 * @returns `null` where a gateway has its registry for itself.
 * @throws {UsageError} for TLS files that can't be read.
 */
export function openMembership(
  { registry, gatewayId, public: { host } }: Config,
  logger: Logger,
  started: AsyncDisposableStack,
): Membership | null {
  if (registry.driver !== 'consul') return null
  const { timeoutMs, prefix, advertise } = registry
  const agent = inUsersWords(
    () => new ConsulAgent({ ...consulAccess(registry), timeoutMs: Math.min(timeoutMs, deadlineAtMostMs) }),
  )
  const tell = (text: string): void => logger.warn({ event: 'catalogue' }, text)
  return started.use(
    new Membership({
      agent,
      gatewayId,
      prefix,
      host: advertise ?? (isWildcard(host) ? hostname() : host),
      wallNow: Date.now,
      told: {
        lost: (detail) => tell(`not in Consul’s catalogue, trying on; residents are served: ${detail}`),
        back: () => logger.info({ event: 'catalogue' }, 'in Consul’s catalogue again'),
        left: (detail) => tell(`could not leave Consul’s catalogue: ${detail}`),
      },
    }),
  )
}

/** Why the gateways may not see each other, where the registry's own loss does not say it. */
export const membershipWarnings = (
  membership: Membership | null,
  { lost }: { readonly lost: string | null },
): readonly string[] => (lost === null ? (membership?.warnings ?? []) : [])

/** Listens everywhere, and says nowhere where it is. */
const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

function inUsersWords<T>(open: () => T): T {
  try {
    return open()
  } catch (cause) {
    if (cause instanceof AgentError) throw new UsageError(`registry: ${cause.message}`, { cause })
    throw cause
  }
}
