// The one way in which operators' decisions are written: each with its audit record, both or neither.
import type { AuditEntry } from '../model/audit.ts'
import { auditHeadKey, auditKey, readHead } from './audit/audit-log.ts'
import { sealed } from './audit/chain.ts'
import { OneByOne } from './one-by-one.ts'
import type { Registry, RegistryChange, RegistryRecord } from './registry/port.ts'

export type ChangeResult =
  | { readonly ok: true }
  /** Somebody else changed `key` meanwhile; nothing was written but that it was refused, if the caller says so. */
  | { readonly ok: false; readonly key: string; readonly current: RegistryRecord | null }

/** Gateways that write at the same moment take turns; so often one tries before it gives up. */
const triesAtMost = 50

export class Changes {
  private readonly registry: Registry
  private readonly wallNow: () => number
  private readonly queue = new OneByOne()

  /** @param wallNow Wall-clock milliseconds since 1970. */
  constructor(registry: Registry, wallNow: () => number) {
    this.registry = registry
    this.wallNow = wallNow
  }

  /**
   * Writes `changes` and what is kept of them; once it resolves both outlive a crash.
   * @throws {RegistryUnavailable} Whether it was written is not known then.
   */
  commit(entry: AuditEntry, changes: readonly RegistryChange[]): Promise<ChangeResult> {
    // One after the other in this process, or each would only find the chain moved on by its neighbour.
    return this.queue.run(() => this.write(entry, changes))
  }

  /** Writes only what is kept of an attempt that was refused or failed. @throws {RegistryUnavailable} */
  async note(entry: AuditEntry): Promise<void> {
    await this.commit(entry, [])
  }

  private async write(entry: AuditEntry, changes: readonly RegistryChange[]): Promise<ChangeResult> {
    for (let i = 0; i < triesAtMost; i++) {
      const { head, version } = await readHead(this.registry)
      const record = sealed(entry, head, this.wallNow())
      const result = await this.registry.commit([
        ...changes,
        { key: auditKey(record.seq), value: record, expectedVersion: 0 },
        { key: auditHeadKey, value: { seq: record.seq, hash: record.hash }, expectedVersion: version },
      ])
      if (result.ok) return { ok: true }
      if (changes.some(({ key }) => key === result.key)) return result
      // Another gateway wrote the next record of the chain.
    }
    throw new Error(`the audit log was written by others ${triesAtMost} times in a row; try again`)
  }
}
