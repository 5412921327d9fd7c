// What donors lend now, enrolled ones included, for whoever divides it among the processes of this gateway.
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../control/clock.ts'
import { Directory } from '../control/directory.ts'
import { regionsOf } from '../control/regions.ts'
import { openEmbeddedRegistry } from '../control/registry/embedded.ts'
import type { Observer } from '../model/events.ts'
import type { RegionId } from '../model/ids.ts'
import type { Lending } from '../model/region.ts'

/**
 * Calls `changed` with what all donors lend, first before it resolves.
 * @returns What takes over a changed file.
 */
export async function followLending(
  initial: Config,
  observer: Observer,
  started: AsyncDisposableStack,
  changed: (lending: ReadonlyMap<RegionId, Lending>) => void,
): Promise<(config: Config) => void> {
  let config = initial
  const file = initial.registry.file ?? join(initial.dataDir, 'chiyuan.db')
  const registry = started.use(openEmbeddedRegistry(file))
  // Whole pledges: they are divided after this.
  const enrolments = () => ({ ...config.enrolment, share: 1 })
  const directory = started.use(
    new Directory({ registry, clock: systemClock, observer, wallNow: Date.now, enrolments }, ({ lending }) =>
      changed(lending),
    ),
  )
  await directory.start(regionsOf(config))
  return (next) => {
    config = next
    directory.replaceRegions(regionsOf(next))
  }
}
