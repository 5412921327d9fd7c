// The registry in Consul's key-value store: records under one prefix, every commit one transaction of compare-and-set.
import { type Lock, LockLost } from '../lock.ts'
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
import { GuardedReads, type Read } from './guarded-reads.ts'
import { ConsulLock, type Fence } from './lock.ts'
import { followPrefix } from './watch.ts'
import { isOvertaken, recordOf, type Row, toValue, type TransactionOperation } from './wire.ts'

export interface ConsulPlace extends ConsulAccess {
  /** Before every key, such as `chiyuan/`. */
  readonly prefix: string
}

/** Locks stand where the records do, and are none. */
const lockPrefix = '.locks/'
/** Consul takes no longer request and no larger value, bytes. */
const requestBytesAtMost = 512 * 1024
/** Keys that are read in one transaction, beside the marker. */
const readsAtOnce = 63
/** How often a commit is tried whose record was removed and made anew, with the same version, in between. */
const triesAtMost = 5

/** @throws {UsageError} for TLS files that can't be read. Whether Consul answers shows later. */
export const openConsulRegistry = (place: ConsulPlace): Registry =>
  new ConsulRegistry(place.prefix, new ConsulConnection(place))

class ConsulRegistry implements Registry {
  private readonly prefix: string
  private readonly connection: ConsulConnection
  private readonly reads: GuardedReads
  private readonly ended = new AbortController()
  private readonly watches = new Set<Promise<void>>()

  constructor(prefix: string, connection: ConsulConnection) {
    this.prefix = prefix
    this.connection = connection
    this.reads = new GuardedReads(connection, prefix)
  }

  async list(prefix: string, page: RegistryPage = {}): Promise<RegistryRecord[]> {
    const { after = '', limit = Infinity } = page
    if (limit === Infinity) return (await this.tree(prefix)).filter(({ key }) => key > after)
    // Consul has no pages: the names are asked for, then the values of those that are wanted.
    for (let i = 0; i < triesAtMost; i++) {
      const names = await this.connection.keys(this.prefix + prefix)
      const wanted = names
        .filter((name) => this.isRecord(name) && name.slice(this.prefix.length) > after)
        .slice(0, limit)
      const records = await this.named(wanted)
      if (records !== null) return records
    }
    throw new RegistryUnavailable(
      `records under ${prefix} are removed faster than they can be read; try again`,
    )
  }

  async read(key: string): Promise<RegistryRecord | null> {
    return (await this.tree(key)).find((record) => record.key === key) ?? null
  }

  /** @throws {RangeError} for more changes, or larger ones, than Consul takes at once. */
  async commit(changes: readonly RegistryChange[]): Promise<RegistryWrite> {
    return this.commitUnder(changes, null)
  }

  private async commitUnder(changes: readonly RegistryChange[], fence: Fence | null): Promise<RegistryWrite> {
    const atMost = changesAtMost - (fence === null ? 0 : 1)
    const removed = changes.filter(({ value }) => value === null).length
    if (changes.length + removed > atMost) {
      throw new RangeError(
        `${changes.length} changes at once, ${removed} of them removals, which count twice; at most ${atMost}`,
      )
    }
    for (let i = 0; i < triesAtMost; i++) {
      const result = await this.tryCommit(changes, fence)
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

  lock(name: string, holder: string): Lock {
    const { connection, prefix } = this
    return new ConsulLock({
      connection,
      key: prefix + lockPrefix + name,
      holder,
      registry: this,
      commit: (changes, fence) => this.commitUnder(changes, fence),
      watch: (changed) => this.watch(changed, () => {}, lockPrefix + name),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort()
    await Promise.all(this.watches)
    this.connection[Symbol.dispose]()
  }

  /** @returns `null` where it is to be tried again. */
  private async tryCommit(
    changes: readonly RegistryChange[],
    fence: Fence | null,
  ): Promise<RegistryWrite | null> {
    const { marker, standing } = await this.standing(changes.filter(mustStand))
    const operations: TransactionOperation[] = [
      { KV: { Verb: 'check-index', Key: this.reads.markerKey, Index: marker.modifyIndex } },
    ]
    /** The change that each operation is for. */
    const purpose: (RegistryChange | null)[] = [null]
    const fenceAt = fence === null ? -1 : operations.length
    if (fence !== null) {
      operations.push({ KV: { Verb: 'check-session', Key: fence.key, Session: fence.session } })
      purpose.push(null)
    }
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
    if (answer.operation === fenceAt) throw new LockLost(`${fence?.key} is held by another gateway now`)
    const refused = purpose[answer.operation] ?? null
    if (!isOvertaken(answer.what)) {
      throw new RegistryUnavailable(`Consul refuses ${refused?.key ?? 'the change'}: ${answer.what}`)
    }
    // The marker has moved: to read it anew is to be told why.
    if (refused === null) return null
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

  /** Rows of the records that the changes are of, by key, and the marker's. */
  private async standing(
    changes: readonly RegistryChange[],
  ): Promise<{ readonly marker: Row; readonly standing: ReadonlyMap<string, Row> }> {
    const { marker, rows } = await this.trees(changes.map(({ key }) => key))
    return { marker, standing: new Map(rows.map((row) => [row.key.slice(this.prefix.length), row])) }
  }

  private async tree(prefix: string): Promise<RegistryRecord[]> {
    return this.records((await this.trees([prefix])).rows)
  }

  private async trees(prefixes: readonly string[]): Promise<Read> {
    const read = await this.reads.read(
      prefixes.map((prefix) => ({ KV: { Verb: 'get-tree', Key: this.prefix + prefix } })),
    )
    // A tree may be empty; it is never missing.
    if (read === null)
      throw new RegistryUnavailable(`Consul does not know what a tree under ${this.prefix} is`)
    return read
  }

  /** Records of these full names; `null` where one of them is gone meanwhile. */
  private async named(names: readonly string[]): Promise<RegistryRecord[] | null> {
    const records: RegistryRecord[] = []
    for (let i = 0; i < Math.max(1, names.length); i += readsAtOnce) {
      const some = names.slice(i, i + readsAtOnce)
      const read = await this.reads.read(some.map((Key) => ({ KV: { Verb: 'get', Key } })))
      if (read === null) return null
      records.push(...this.records(read.rows))
    }
    return records
  }

  private records(rows: readonly Row[]): RegistryRecord[] {
    return rows.filter(({ key }) => this.isRecord(key)).map((row) => this.record(row))
  }

  private isRecord(name: string): boolean {
    return name !== this.reads.markerKey && !name.startsWith(this.prefix + lockPrefix)
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

function fits(operations: readonly TransactionOperation[], changes: readonly RegistryChange[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(operations))
  if (bytes <= requestBytesAtMost) return
  throw new RangeError(
    `the change of ${changes.map(({ key }) => key).join(', ')} takes ${bytes} bytes; Consul takes ${requestBytesAtMost} at once`,
  )
}
