// The registry on one SQLite file: nothing to install, crash-safe, shared by processes on one machine.
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { UsageError } from '../../model/errors.ts'
import { type Lock, soleLock } from './lock.ts'
import {
  type Registry,
  type RegistryChange,
  type RegistryPage,
  type RegistryRecord,
  RegistryUnavailable,
  type RegistryWrite,
} from './port.ts'

const schemaVersion = 1
/** Pause between looks for other processes' changes, ms. One pragma, no table is read. */
const lookEveryMs = 50

/** While it opens nobody is served yet; another process may be bringing the file to this version, ms. */
const openingWaitMs = 2000
/** All residents of this process wait as long as a write waits for whoever else has the file, ms. */
const writingWaitMs = 200

/** @throws {UsageError} when the file can't be made or is not ours. */
export function openEmbeddedRegistry(file: string): Registry {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    return new EmbeddedRegistry(file)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(
      `${file}: the registry can't be opened (${String(cause)}); set registry.file or dataDir`,
      {
        cause,
      },
    )
  }
}

function migrate(database: DatabaseSync, file: string): void {
  database.exec(
    `PRAGMA busy_timeout = ${openingWaitMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`,
  )
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (found > schemaVersion) {
    database.close()
    throw new UsageError(
      `${file}: it is of version ${found}, this release knows up to ${schemaVersion}; use a newer release`,
    )
  }
  if (found === schemaVersion) return
  database.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS record (
      key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = ${schemaVersion};
    COMMIT`)
}

/** The file as it was when it was opened. */
class Connection {
  readonly database: DatabaseSync
  /** Which file the name stood for. */
  readonly inode: number
  readonly listed: StatementSync
  readonly one: StatementSync
  readonly inserted: StatementSync
  readonly updated: StatementSync
  readonly removed: StatementSync
  readonly dataVersion: StatementSync

  constructor(file: string) {
    const fresh = file !== ':memory:' && !existsSync(file)
    const database = new DatabaseSync(file)
    // Decisions and, later, hashed tokens: nobody else's business.
    if (fresh) chmodSync(file, 0o600)
    migrate(database, file)
    database.exec(`PRAGMA busy_timeout = ${writingWaitMs}`)
    this.database = database
    this.inode = inodeOf(file) ?? 0
    this.listed = database.prepare(
      // The lower bound is what the index is searched by; a prefix has no upper bound that every text respects.
      `SELECT key, value, version FROM record
       WHERE key >= ?1 AND key > ?2 AND substr(key, 1, length(?1)) = ?1 ORDER BY key LIMIT ?3`,
    )
    this.one = database.prepare('SELECT key, value, version FROM record WHERE key = ?')
    this.inserted = database.prepare(
      'INSERT INTO record (key, value, version) VALUES (?, ?, 1) ON CONFLICT DO NOTHING',
    )
    this.updated = database.prepare(
      'UPDATE record SET value = ?, version = version + 1 WHERE key = ? AND version = ?',
    )
    this.removed = database.prepare('DELETE FROM record WHERE key = ? AND version = ?')
    this.dataVersion = database.prepare('PRAGMA data_version')
  }

  close(): void {
    if (this.database.isOpen) this.database.close()
  }
}

/** `null` where there is no such file. */
const inodeOf = (file: string): number | null =>
  file === ':memory:' ? 0 : (statSync(file, { throwIfNoEntry: false })?.ino ?? null)

class EmbeddedRegistry implements Registry {
  private readonly file: string
  private connection: Connection
  private readonly watchers = new Set<() => void>()

  constructor(file: string) {
    this.file = file
    this.connection = new Connection(file)
  }

  async list(prefix: string, { after = '', limit = -1 }: RegistryPage = {}): Promise<RegistryRecord[]> {
    return ask(() => this.current().listed.all(prefix, after, limit).map(toRecord))
  }

  async read(key: string): Promise<RegistryRecord | null> {
    const row = ask(() => this.current().one.get(key))
    return row === undefined ? null : toRecord(row)
  }

  async commit(changes: readonly RegistryChange[]): Promise<RegistryWrite> {
    const result = ask(() => inTransaction(this.current(), (connection) => writeAll(connection, changes)))
    if (result.ok) for (const changed of this.watchers) queueMicrotask(changed)
    return result
  }

  watch(changed: () => void, lost: (cause: unknown) => void): () => void {
    let seen: unknown
    let isLost = true
    try {
      seen = this.version()
      isLost = false
    } catch {
      // Seen again at the first look, and told of then.
    }
    const timer = setInterval(() => {
      try {
        const now = this.version()
        if (now === seen && !isLost) return
        seen = now
        isLost = false
        changed()
      } catch (cause) {
        // Told once: whoever is told asks again by itself.
        if (!isLost) lost(cause)
        isLost = true
      }
    }, lookEveryMs)
    timer.unref()
    this.watchers.add(changed)
    return () => {
      clearInterval(timer)
      this.watchers.delete(changed)
    }
  }

  /** One process writes to the file: see {@link ownRegistry}. */
  lock(): Lock {
    return soleLock(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watchers.clear()
    this.connection.close()
  }

  /** Moves when another connection has committed; our own commits tell the watchers themselves. */
  private version(): unknown {
    return ask(() => this.current().dataVersion.get()?.['data_version'])
  }

  /**
   * A file that is deleted or replaced goes on to be read and written by whoever had it open, and nobody else sees what
   * is decided there. So the name is looked at each time: gone, the registry is lost; another file, that one is opened.
   */
  private current(): Connection {
    const inode = inodeOf(this.file)
    if (inode === this.connection.inode) return this.connection
    if (inode === null)
      throw new Error(`${this.file} is gone; put it back, or restart to begin with an empty one`)
    const next = new Connection(this.file)
    this.connection.close()
    this.connection = next
    return next
  }
}

/** Rolled back unless `write` says that it is good. */
function inTransaction(
  connection: Connection,
  write: (connection: Connection) => RegistryWrite,
): RegistryWrite {
  const { database } = connection
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = write(connection)
    database.exec(result.ok ? 'COMMIT' : 'ROLLBACK')
    return result
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK')
  }
}

function writeAll(connection: Connection, changes: readonly RegistryChange[]): RegistryWrite {
  for (const change of changes) {
    if (writeOne(connection, change) === 1) continue
    const row = connection.one.get(change.key)
    return { ok: false, key: change.key, current: row === undefined ? null : toRecord(row) }
  }
  return {
    ok: true,
    versions: changes.map(({ value, expectedVersion }) => (value === null ? 0 : expectedVersion + 1)),
  }
}

/** @returns Rows changed: 0 where the record is of another version. */
function writeOne(
  { removed, inserted, updated }: Connection,
  { key, value, expectedVersion }: RegistryChange,
): number {
  if (value === null) return Number(removed.run(key, expectedVersion).changes)
  const text = JSON.stringify(value)
  if (expectedVersion === 0) return Number(inserted.run(key, text).changes)
  return Number(updated.run(text, key, expectedVersion).changes)
}

function ask<T>(query: () => T): T {
  try {
    return query()
  } catch (cause) {
    throw new RegistryUnavailable(`the registry file can't be used: ${String(cause)}`, { cause })
  }
}

function toRecord(row: Record<string, unknown>): RegistryRecord {
  const value: unknown = JSON.parse(String(row['value']))
  return { key: String(row['key']), value, version: Number(row['version']) }
}
