// What operators have decided, as the primary of several workers sees it: the same as each of them, and whole.
import type { Config } from '../../config/schema.ts'
import type { Directory, SnapshotListener } from '../control/directory.ts'
import { regionsOf } from '../control/regions.ts'
import type { Registry } from '../control/registry/port.ts'
import type { Observer } from '../model/events.ts'
import { followCatalogues } from './discovery.ts'
import { openIntent } from './intent.ts'

export interface FollowedIntent {
  readonly registry: Registry
  readonly directory: Directory
  /** The file, as it was taken over last. */
  readonly config: () => Config
  readonly reload: (config: Config) => void
}

/**
 * Calls `changed` with every snapshot, the first before it resolves.
 * @throws {UsageError} for a registry that can't be used.
 */
export async function followIntent(
  initial: Config,
  observer: Observer,
  started: AsyncDisposableStack,
  changed: SnapshotListener,
): Promise<FollowedIntent> {
  let config = initial
  // Whole pledges: whoever follows divides them among the workers.
  const enrolments = () => ({ ...config.enrolment, share: 1 })
  const { registry, directory } = openIntent(initial, observer, started, enrolments, changed)
  await directory.start(regionsOf(initial))
  await followCatalogues(initial, directory, observer, 1, started)
  return {
    registry,
    directory,
    config: () => config,
    reload: (next) => {
      config = next
      directory.replaceRegions(regionsOf(next))
    },
  }
}
