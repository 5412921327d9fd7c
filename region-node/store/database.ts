// Opens the node's SQLite file, durable and migrated.
import { chmodSync, existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { StartError } from '../start-error.ts'
import { addMigrationFunctions, MIGRATIONS } from './migrations.ts'

/** How long a statement waits for another process, ms. */
export const BUSY_TIMEOUT_MS = 2_000
const OWNER_ONLY = 0o600

const versionRow = z.object({ user_version: z.int() })

/**
 * @param file A path, made if missing (its folder is not), or `:memory:`.
 * @throws {StartError} The file can't be opened, is no SQLite database, or was written by a newer release.
 */
export function openDatabase(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    const fresh = file !== ':memory:' && !existsSync(file)
    db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    // What a node knows of people is nobody else's business on the machine.
    if (fresh) chmodSync(file, OWNER_ONLY)
    // FULL, not NORMAL: an acknowledged test result must survive a power cut, not only a killed process.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    // Deletions are few, and what a donor forgets shall be gone from the file.
    db.exec('PRAGMA secure_delete = ON')
    // 16 MiB: the inner pages of 13 million residents take 9 MB, so only the leaf is read from outside.
    db.exec('PRAGMA cache_size = -16384')
    migrate(db, file)
    return db
  } catch (error) {
    db?.close()
    if (error instanceof StartError) throw error
    const reason = isNativeError(error) ? error.message : String(error)
    throw new StartError(`data file ${file} can't be used: ${reason}`, error)
  }
}

/**
 * Fills an empty file with many rows at once: without a journal, so a crash leaves nothing usable. Whoever makes it
 * must give it its real name only when it is whole.
 */
export function createBulkDatabase(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA foreign_keys = OFF; PRAGMA cache_size = -65536`)
    migrate(db, file)
    return db
  } catch (error) {
    db?.close()
    throw error
  }
}

function migrate(db: DatabaseSync, file: string): void {
  db.exec('BEGIN IMMEDIATE')
  const { user_version: found } = versionRow.parse(db.prepare('PRAGMA user_version').get())
  if (found > MIGRATIONS.length) {
    throw new StartError(
      `data file ${file} has schema version ${found}, this release knows up to ${MIGRATIONS.length}`,
    )
  }
  addMigrationFunctions(db)
  for (const step of MIGRATIONS.slice(found)) db.exec(step)
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`)
}
