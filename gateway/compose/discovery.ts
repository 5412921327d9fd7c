// The catalogues that nodes are found in, wherever somebody acts upon them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../control/clock.ts'
import type { Directory } from '../control/directory.ts'
import { Catalogues } from '../control/discovery/catalogues.ts'
import { trustOf } from '../control/regions.ts'
import { ConsulConnection } from '../control/registry/consul/connection.ts'
import type { Observer } from '../model/events.ts'
import { consulAccess } from './consul-access.ts'

/**
 * Resolves once the catalogues have been read or could not be, within a request's deadline.
 * @param share This process's part of what a node takes, above 0 to 1.
 * @throws {UsageError} for TLS files that can't be read.
 */
export async function followCatalogues(
  initial: Config,
  directory: Directory,
  observer: Observer,
  share: number,
  started: AsyncDisposableStack,
): Promise<void> {
  const { discovery } = initial
  if (discovery.driver === 'none') return
  const { timeoutMs, waitMs } = discovery
  const connection = started.use(
    new ConsulConnection({ ...consulAccess(discovery), section: 'discovery', datacenter: null, waitMs }),
  )
  const settings = { drainMs: discovery.drainMs, share, trust: trustOf(discovery.tls) }
  const catalogues = started.use(
    new Catalogues({
      connection,
      service: discovery.service,
      tag: discovery.tag ?? null,
      datacenters: discovery.datacenters,
      settings: () => settings,
      clock: systemClock,
      wallNow: Date.now,
      observer,
      changed: (found) => directory.replaceFound(found, discovery.drainMs),
    }),
  )
  directory.alsoWarn(() => catalogues.warnings)
  // Residents wait no longer for a Consul that hangs; what it lists comes when it comes.
  const waiting = new AbortController()
  const enough = sleep(timeoutMs, undefined, { signal: waiting.signal }).catch(() => {})
  await Promise.race([catalogues.start(), enough])
  waiting.abort()
}
