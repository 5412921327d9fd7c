// Where operators' decisions are kept, whatever keeps them. Both drivers pass one contract test suite.
import type { Lock } from './lock.ts'

/** A record as stored: `version` counts up from 1 with every change of its key. */
export interface RegistryRecord {
  readonly key: string
  readonly value: unknown
  readonly version: number
}

/** One record as it shall be. */
export interface RegistryChange {
  readonly key: string
  /** `null` removes the record. */
  readonly value: unknown
  /** Version that the record must still have; 0: it must not exist yet. */
  readonly expectedVersion: number
}

export type RegistryWrite =
  /** The new versions, in the order of the changes; 0 for what was removed. */
  | { readonly ok: true; readonly versions: readonly number[] }
  /** Somebody else changed `key` meanwhile, and nothing was written; `current` is what stands there, or `null`. */
  | { readonly ok: false; readonly key: string; readonly current: RegistryRecord | null }

/** Part of a long list. */
export interface RegistryPage {
  /** Keys after this one only. */
  readonly after?: string
  /** So many at the most, 1 or more. */
  readonly limit?: number
}

/** Changes that one commit may hold at the most, a removal counted as two: what Consul takes in one transaction. */
export const changesAtMost = 63

/** The registry could not be asked or told. What was known before stays in force. */
export class RegistryUnavailable extends Error {
  override readonly name = 'RegistryUnavailable'
}

export interface Registry extends AsyncDisposable {
  /**
   * Every record whose key starts with `prefix`, by key, as they stood at one moment.
   * @throws {RegistryUnavailable}
   */
  list(prefix: string, page?: RegistryPage): Promise<readonly RegistryRecord[]>
  /**
   * The record, or `null`.
   * @throws {RegistryUnavailable}
   */
  read(key: string): Promise<RegistryRecord | null>
  /**
   * Writes all changes or none; once it resolves they outlive a crash.
   * @param changes 1 to {@link changesAtMost}, each of another key.
   * @throws {RegistryUnavailable} Whether anything was written is not known then.
   * @throws {RangeError} for more than the driver takes at once; nothing was written.
   */
  commit(changes: readonly RegistryChange[]): Promise<RegistryWrite>
  /**
   * Calls `changed` soon after any record changed, whoever changed it, and `lost` when it can no longer tell.
   * Either may also be called where nothing has changed.
   * @param prefix Of the keys that matter; a driver may tell of others too. Without it: all.
   * @returns A function that ends the watch.
   */
  watch(changed: () => void, lost: (cause: unknown) => void, prefix?: string): () => void
  /**
   * Begins to try to have the lock of this name.
   * @param holder Who it is, for whoever looks into the registry.
   */
  lock(name: string, holder: string): Lock
}

/** A commit of one record. */
export const compareAndSet = (
  registry: Pick<Registry, 'commit'>,
  key: string,
  value: unknown,
  expectedVersion: number,
): Promise<RegistryWrite> => registry.commit([{ key, value, expectedVersion }])
