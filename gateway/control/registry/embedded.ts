// The registry on one SQLite file: nothing to install, crash-safe, shared by processes on one machine.
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { UsageError } from '../../model/errors.ts'
import { type Registry, type RegistryRecord, RegistryUnavailable, type RegistryWrite } from './port.ts'

const schemaVersion = 1
/** Pause between looks for other processes' changes, ms. One pragma, no table is read. */
const lookEveryMs = 50

/** @throws {UsageError} when the file can't be made or is not ours. */
export function openEmbeddedRegistry(file: string): Registry {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    const fresh = file !== ':memory:' && !existsSync(file)
    const database = new DatabaseSync(file)
    // Decisions and, later, hashed tokens: nobody else's business.
    if (fresh) chmodSync(file, 0o600)
    migrate(database, file)
    return new EmbeddedRegistry(database)
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
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000')
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

class EmbeddedRegistry implements Registry {
  private readonly database: DatabaseSync
  private readonly listed: StatementSync
  private readonly one: StatementSync
  private readonly inserted: StatementSync
  private readonly updated: StatementSync
  private readonly removed: StatementSync
  private readonly dataVersion: StatementSync
  private readonly watchers = new Set<() => void>()

  constructor(database: DatabaseSync) {
    this.database = database
    this.listed = database.prepare(
      'SELECT key, value, version FROM record WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key',
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

  async list(prefix: string): Promise<readonly RegistryRecord[]> {
    return ask(() => this.listed.all(prefix).map(toRecord))
  }

  async compareAndSet(key: string, value: unknown, expectedVersion: number): Promise<RegistryWrite> {
    const changes = ask(() => Number(this.write(key, value, expectedVersion)))
    if (changes === 1) {
      for (const changed of this.watchers) queueMicrotask(changed)
      return { ok: true, version: value === null ? 0 : expectedVersion + 1 }
    }
    const row = ask(() => this.one.get(key))
    return { ok: false, current: row === undefined ? null : toRecord(row) }
  }

  watch(changed: () => void, lost: (cause: unknown) => void): () => void {
    let seen = this.version()
    const timer = setInterval(() => {
      try {
        const now = this.version()
        if (now === seen) return
        seen = now
        changed()
      } catch (cause) {
        lost(cause)
      }
    }, lookEveryMs)
    timer.unref()
    this.watchers.add(changed)
    return () => {
      clearInterval(timer)
      this.watchers.delete(changed)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watchers.clear()
    if (this.database.isOpen) this.database.close()
  }

  private write(key: string, value: unknown, expectedVersion: number): number | bigint {
    if (value === null) return this.removed.run(key, expectedVersion).changes
    const text = JSON.stringify(value)
    if (expectedVersion === 0) return this.inserted.run(key, text).changes
    return this.updated.run(text, key, expectedVersion).changes
  }

  /** Moves when another connection has committed; our own commits tell the watchers themselves. */
  private version(): unknown {
    return ask(() => this.dataVersion.get()?.['data_version'])
  }
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
