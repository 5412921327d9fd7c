// The registry and the directory that follows it, wherever somebody acts upon what operators decide.
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../control/clock.ts'
import { Directory, type SnapshotListener } from '../control/directory.ts'
import { openConsulRegistry } from '../control/registry/consul/registry.ts'
import { openEmbeddedRegistry } from '../control/registry/embedded.ts'
import type { Registry } from '../control/registry/port.ts'
import type { Observer } from '../model/events.ts'
import type { EffectSettings } from '../policy/enrolment-effect.ts'
import { consulAccess } from './consul-access.ts'
import { registryFile } from './state.ts'

/** The directory is still to be started. @throws {UsageError} for a registry that can't be used. */
export function openIntent(
  config: Config,
  observer: Observer,
  started: AsyncDisposableStack,
  enrolments: () => EffectSettings,
  listener: SnapshotListener,
): { registry: Registry; directory: Directory } {
  const registry = started.use(openRegistry(config))
  const directory = started.use(
    new Directory({ registry, clock: systemClock, observer, wallNow: Date.now, enrolments }, listener),
  )
  return { registry, directory }
}

/** @throws {UsageError} for one that can't be used. A Consul that does not answer yet is no such. */
function openRegistry(config: Config): Registry {
  const { registry } = config
  if (registry.driver === 'embedded') return openEmbeddedRegistry(registryFile(config))
  const { prefix, datacenter, waitMs } = registry
  return openConsulRegistry({
    ...consulAccess(registry),
    prefix,
    datacenter: datacenter ?? null,
    waitMs,
  })
}
