// One gateway at a time on one registry file: a lock that the system lets go of however its holder ends.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { UsageError } from '../../model/errors.ts'

/**
 * Takes the lock of a registry file. SQLite's own lock is used, on a file of no content beside it: it is held by the
 * process, not by the file, so nothing is left behind by kill -9.
 * @param file Of the registry; `:memory:` needs no lock.
 * @throws {UsageError} while another gateway has it.
 */
export function ownRegistry(file: string): Disposable {
  if (file === ':memory:') return { [Symbol.dispose]: () => {} }
  const lockFile = `${file}.lock`
  // Nobody else's to read, though nothing stands in it.
  if (!existsSync(lockFile)) writeFileSync(lockFile, '', { mode: 0o600 })
  const database = new DatabaseSync(lockFile)
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new UsageError(
      `${file}: another gateway uses it${holderOf(file)}; stop that one, or give this one a dataDir of its own`,
      { cause },
    )
  }
  writeFileSync(pidFile(file), `${process.pid}\n`, { mode: 0o600 })
  return { [Symbol.dispose]: () => database.close() }
}

const pidFile = (file: string): string => `${file}.pid`

function holderOf(file: string): string {
  try {
    return ` (pid ${readFileSync(pidFile(file), 'utf8').trim()})`
  } catch {
    // It has only just begun, or somebody tidied up: the lock is what counts.
    return ''
  }
}
