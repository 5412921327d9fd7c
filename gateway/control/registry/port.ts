// Where operators' decisions are kept, whatever keeps them. Both drivers pass one contract test suite.

/** A record as stored: `version` counts up from 1 with every change of its key. */
export interface RegistryRecord {
  readonly key: string
  readonly value: unknown
  readonly version: number
}

export type RegistryWrite =
  | { readonly ok: true; readonly version: number }
  /** Somebody else changed it meanwhile; `current` is what stands now, `null` if nothing does. */
  | { readonly ok: false; readonly current: RegistryRecord | null }

/** The registry could not be asked or told. What was known before stays in force. */
export class RegistryUnavailable extends Error {
  override readonly name = 'RegistryUnavailable'
}

export interface Registry extends AsyncDisposable {
  /**
   * Every record whose key starts with `prefix`, by key.
   * @throws {RegistryUnavailable}
   */
  list(prefix: string): Promise<readonly RegistryRecord[]>
  /**
   * Writes `value` if the record still has `expectedVersion` (0: it must not exist yet). `null` removes it.
   * @throws {RegistryUnavailable}
   */
  compareAndSet(key: string, value: unknown, expectedVersion: number): Promise<RegistryWrite>
  /**
   * Calls `changed` soon after any record changed, whoever changed it, and `lost` when it can no longer tell.
   * @returns A function that ends the watch.
   */
  watch(changed: () => void, lost: (cause: unknown) => void): () => void
}
