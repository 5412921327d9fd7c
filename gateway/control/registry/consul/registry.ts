// The registry in Consul's key-value store: records under one prefix, every commit one transaction of compare-and-set.
import {
  changesAtMost,
  type Registry,
  type RegistryChange,
  type RegistryPage,
  type RegistryRecord,
  RegistryUnavailable,
  type RegistryWrite,
} from '../port.ts'
import type { ConsulAccess } from './access.ts'
import { ConsulConnection } from './connection.ts'
import { followPrefix } from './watch.ts'
import { recordOf, type Row, toValue, type TransactionOperation } from './wire.ts'

export interface ConsulPlace extends ConsulAccess {
  /** Before every key, such as `chiyuan/`. */
  readonly prefix: string
}

/** Consul takes no longer request and no larger value, bytes. */
const requestBytesAtMost = 512 * 1024
/** Keys that are read in one transaction, beside the marker. */
const readsAtOnce = 63
/** How often a commit is tried whose record was removed and made anew, with the same version, in between. */
const triesAtMost = 5
/** Stands where the records do. Its absence tells records that are gone, or may not be seen, from none at all. */
const markerName = '.registry'
const markerForm = { form: 1 }

/** @throws {UsageError} for TLS files that can't be read. Whether Consul answers shows later. */
export const openConsulRegistry = (place: ConsulPlace): Registry =>
  new ConsulRegistry(place.prefix, new ConsulConnection(place))

class ConsulRegistry implements Registry {
  private readonly prefix: string
  private readonly marker: string
  private readonly connection: ConsulConnection
  private readonly ended = new AbortController()
  private readonly watches = new Set<Promise<void>>()
  /** The marker has been there. */
  private wasThere = false

  constructor(prefix: string, connection: ConsulConnection) {
    this.prefix = prefix
    this.marker = prefix + markerName
    this.connection = connection
  }

  async list(prefix: string, page: RegistryPage = {}): Promise<RegistryRecord[]> {
    const { after = '', limit = Infinity } = page
    if (limit === Infinity) {
      const rows = await this.reading([{ KV: { Verb: 'get-tree', Key: this.prefix + prefix } }])
      return this.records(rows).filter(({ key }) => key > after)
    }
    // Consul has no pages: the names are asked for, then the values of those that are wanted.
    for (let i = 0; i < triesAtMost; i++) {
      const names = (await this.connection.keys(this.prefix + prefix)).filter((name) => name !== this.marker)
      const wanted = names.filter((name) => name.slice(this.prefix.length) > after).slice(0, limit)
      const records = await this.named(wanted)
      if (records !== null) return records
    }
    throw new RegistryUnavailable(
      `records under ${prefix} are removed faster than they can be read; try again`,
    )
  }

  async read(key: string): Promise<RegistryRecord | null> {
    const rows = await this.reading([{ KV: { Verb: 'get-tree', Key: this.prefix + key } }])
    return this.records(rows).find((record) => record.key === key) ?? null
  }

  /** @throws {RangeError} for more changes, or larger ones, than Consul takes at once. */
  async commit(changes: readonly RegistryChange[]): Promise<RegistryWrite> {
    const removed = changes.filter(({ value }) => value === null).length
    if (changes.length + removed > changesAtMost) {
      throw new RangeError(
        `${changes.length} changes at once, ${removed} of them removals, which count twice; at most ${changesAtMost}`,
      )
    }
    for (let i = 0; i < triesAtMost; i++) {
      const result = await this.tryCommit(changes)
      if (result !== null) return result
    }
    throw new RegistryUnavailable(`others write the same records all the time; try again`)
  }

  watch(changed: () => void, lost: (cause: unknown) => void, prefix = ''): () => void {
    const stopped = new AbortController()
    const signal = AbortSignal.any([stopped.signal, this.ended.signal])
    const watch = followPrefix(this.connection, this.prefix + prefix, { changed, lost }, signal)
    this.watches.add(watch)
    void watch.finally(() => this.watches.delete(watch))
    return () => stopped.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort()
    await Promise.all(this.watches)
    this.connection[Symbol.dispose]()
  }

  /** @returns `null` where it is to be tried again. */
  private async tryCommit(changes: readonly RegistryChange[]): Promise<RegistryWrite | null> {
    const standing = await this.standing(changes.filter(mustStand))
    const operations: TransactionOperation[] = [{ KV: { Verb: 'get', Key: this.marker } }]
    /** The change that each operation is for. */
    const purpose: (RegistryChange | null)[] = [null]
    for (const change of changes) {
      const row = standing.get(change.key) ?? null
      const current = row === null ? null : this.record(row)
      if (mustStand(change) && !isOfVersion(current, change)) return { ok: false, key: change.key, current }
      for (const operation of this.operationsOf(change, row)) {
        operations.push(operation)
        purpose.push(change)
      }
    }
    fits(operations, changes)
    const answer = await this.connection.transact(operations)
    if (answer.ok) return { ok: true, versions: changes.map(versionAfter) }
    const refused = purpose[answer.operation] ?? null
    if (refused === null) {
      await this.markerMissing(answer.what)
      return null
    }
    if (!isOvertaken(answer.what))
      throw new RegistryUnavailable(`Consul refuses ${refused.key}: ${answer.what}`)
    const current = await this.read(refused.key)
    const isAsExpected = mustStand(refused) ? isOfVersion(current, refused) : current === null
    return isAsExpected ? null : { ok: false, key: refused.key, current }
  }

  private operationsOf(change: RegistryChange, row: Row | null): TransactionOperation[] {
    const Key = this.prefix + change.key
    const Index = row?.modifyIndex ?? 0
    if (change.value !== null) {
      return [{ KV: { Verb: 'cas', Key, Index, Value: toValue(versionAfter(change), change.value) } }]
    }
    // Consul's own delete-cas is content where somebody else was quicker to remove it.
    return [{ KV: { Verb: 'check-index', Key, Index } }, { KV: { Verb: 'delete', Key } }]
  }

  /** Rows of the records that the changes are of, by key. */
  private async standing(changes: readonly RegistryChange[]): Promise<ReadonlyMap<string, Row>> {
    if (changes.length === 0) return new Map()
    const rows = await this.reading(
      changes.map(({ key }) => ({ KV: { Verb: 'get-tree', Key: this.prefix + key } })),
    )
    return new Map(rows.map((row) => [row.key.slice(this.prefix.length), row]))
  }

  /** Records of these full names; `null` where one of them is gone meanwhile. */
  private async named(names: readonly string[]): Promise<RegistryRecord[] | null> {
    const records: RegistryRecord[] = []
    for (let i = 0; i < Math.max(1, names.length); i += readsAtOnce) {
      const some = names.slice(i, i + readsAtOnce)
      const rows = await this.reading(
        some.map((Key) => ({ KV: { Verb: 'get', Key } })),
        'may be gone',
      )
      if (rows === null) return null
      records.push(...this.records(rows))
    }
    return records
  }

  /**
   * What the operations read, at one moment, and only if the records can be there and may be seen.
   * @throws {RegistryUnavailable}
   */
  private async reading(operations: readonly TransactionOperation[]): Promise<readonly Row[]>
  private async reading(
    operations: readonly TransactionOperation[],
    gone: 'may be gone',
  ): Promise<readonly Row[] | null>
  private async reading(
    operations: readonly TransactionOperation[],
    gone?: 'may be gone',
  ): Promise<readonly Row[] | null> {
    const withMarker: TransactionOperation[] = [{ KV: { Verb: 'get', Key: this.marker } }, ...operations]
    const answer = await this.connection.transact(withMarker)
    if (!answer.ok) {
      if (answer.operation === 0) {
        await this.markerMissing(answer.what)
        return gone === undefined ? this.reading(operations) : this.reading(operations, gone)
      }
      if (gone !== undefined && isMissing(answer.what)) return null
      throw new RegistryUnavailable(`Consul refuses to read under ${this.prefix}: ${answer.what}`)
    }
    const [marker, ...rows] = answer.rows
    // What a token may not read Consul leaves out, as if it were not there.
    if (marker?.key !== this.marker) {
      throw new RegistryUnavailable(
        `the Consul token may not read under ${this.prefix}; give it key_prefix "${this.prefix}" with policy write`,
      )
    }
    this.wasThere = true
    return rows
  }

  /** Makes the marker where there has never been one. @throws {RegistryUnavailable} where there was. */
  private async markerMissing(what: string): Promise<void> {
    if (!isMissing(what)) throw new RegistryUnavailable(`Consul refuses ${this.marker}: ${what}`)
    if (this.wasThere) {
      throw new RegistryUnavailable(
        `the records under ${this.prefix} in Consul are gone; restore a snapshot, or restart all gateways to begin with none`,
      )
    }
    const Value = toValue(1, markerForm)
    const made = await this.connection.transact([{ KV: { Verb: 'cas', Key: this.marker, Index: 0, Value } }])
    if (!made.ok && !isOvertaken(made.what)) {
      throw new RegistryUnavailable(`Consul refuses ${this.marker}: ${made.what}`)
    }
  }

  private records(rows: readonly Row[]): RegistryRecord[] {
    return rows.filter(({ key }) => key !== this.marker).map((row) => this.record(row))
  }

  private record({ key, text }: Row): RegistryRecord {
    return recordOf(key.slice(this.prefix.length), text)
  }
}

/** Whether it is of a record that is to be there already. */
const mustStand = ({ value, expectedVersion }: RegistryChange): boolean =>
  expectedVersion > 0 || value === null

/** What is none of our records is of no version. */
const isOfVersion = (current: RegistryRecord | null, { expectedVersion }: RegistryChange): boolean =>
  current !== null && current.version > 0 && current.version === expectedVersion

const versionAfter = ({ value, expectedVersion }: RegistryChange): number =>
  value === null ? 0 : expectedVersion + 1

/** Consul's words for a key that has moved on. */
const isOvertaken = (what: string): boolean => /index is stale|current modify index/.test(what)

const isMissing = (what: string): boolean => what.includes("doesn't exist")

function fits(operations: readonly TransactionOperation[], changes: readonly RegistryChange[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(operations))
  if (bytes <= requestBytesAtMost) return
  throw new RangeError(
    `the change of ${changes.map(({ key }) => key).join(', ')} takes ${bytes} bytes; Consul takes ${requestBytesAtMost} at once`,
  )
}
