// Backup and restore of the embedded registry's file.
import { chmodSync, closeSync, copyFileSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { errorText, UsageError } from '../../model/errors.ts'
import { verifyAudit } from '../audit/audit-log.ts'
import { Changes } from '../changes.ts'
import { openEmbeddedRegistry } from './embedded.ts'
import { ownRegistry } from './sole-owner.ts'

export interface StateSummary {
  readonly records: number
  readonly audit: number
  /** SEQ:HASH of the last audit record, to be kept elsewhere. */
  readonly anchor: string
}

/**
 * Copies a registry while its gateway goes on using it; the copy is as it stood at one moment.
 * @param progress Share that is done, 0 to 1.
 * @throws {UsageError}
 */
export async function backUpState(
  file: string,
  target: string,
  progress: (share: number) => void = () => {},
): Promise<StateSummary> {
  if (!existsSync(file))
    throw new UsageError(`${file}: there is no such registry; check registry.file and dataDir`)
  if (existsSync(target)) throw new UsageError(`${target}: it is there already; name a new file`)
  const unfinished = `${target}.part`
  rmSync(unfinished, { force: true })
  // Nobody else's business, from the first byte on.
  closeSync(openSync(unfinished, 'wx', 0o600))
  const source = new DatabaseSync(file, { readOnly: true })
  try {
    await backup(source, unfinished, {
      progress: ({ totalPages, remainingPages }) => progress(1 - remainingPages / Math.max(1, totalPages)),
    })
  } catch (cause) {
    rmSync(unfinished, { force: true })
    throw new UsageError(`${target}: the copy could not be written: ${errorText(cause)}`, { cause })
  } finally {
    source.close()
  }
  const summary = await sound(unfinished)
  renameSync(unfinished, target)
  return summary
}

/**
 * Puts a backup in the registry's place, keeps what was there beside it, and notes it in the audit log.
 * @param wallMs Wall-clock milliseconds since 1970.
 * @returns Where what was there is now; `null` where nothing was.
 * @throws {UsageError} while a gateway uses the registry, or for a file that is no sound backup.
 */
export async function restoreState(
  source: string,
  file: string,
  reason: string,
  wallMs: number,
): Promise<{ readonly before: string | null; readonly restored: StateSummary }> {
  using _owner = ownRegistry(file)
  if (!existsSync(source))
    throw new UsageError(`${source}: there is no such file; name one that a backup made`)
  const unfinished = `${file}.restoring`
  const restored = await prepared(source, unfinished, reason, wallMs)
  const before = existsSync(file)
    ? `${file}.before-${new Date(wallMs).toISOString().replaceAll(/[:.]/g, '-')}`
    : null
  if (before !== null) {
    // What its last writer left beside it belongs to it.
    settle(file)
    renameSync(file, before)
  }
  removeAll(file)
  settle(unfinished)
  renameSync(unfinished, file)
  removeAll(unfinished)
  return { before, restored }
}

/** A copy of the backup that may take the registry's place. @throws {UsageError} */
async function prepared(
  source: string,
  unfinished: string,
  reason: string,
  wallMs: number,
): Promise<StateSummary> {
  removeAll(unfinished)
  try {
    copyFileSync(source, unfinished)
    chmodSync(unfinished, 0o600)
    const summary = await sound(unfinished)
    await noteRestore(unfinished, reason, wallMs)
    return summary
  } catch (cause) {
    removeAll(unfinished)
    throw new UsageError(errorText(cause).replaceAll(unfinished, source), { cause })
  }
}

/** @throws {UsageError} where it is no registry, or one that is not whole. */
async function sound(file: string): Promise<StateSummary> {
  await using registry = openEmbeddedRegistry(file)
  const { head, fault } = await verifyAudit(registry)
  if (fault !== null) {
    throw new UsageError(`${file}: its audit log is not whole: ${fault.detail}; use another backup`)
  }
  const records = (await registry.list('')).length
  return { records, audit: head.seq, anchor: `${head.seq}:${head.hash}` }
}

async function noteRestore(file: string, reason: string, wallMs: number): Promise<void> {
  await using registry = openEmbeddedRegistry(file)
  await new Changes(registry, () => wallMs).note({
    actor: { id: 'command-line', name: 'command line' },
    from: 'local',
    action: 'state.restore',
    target: 'state',
    reason,
    before: null,
    after: null,
    outcome: 'done',
    detail: null,
  })
}

/** Moves what stands in the write-ahead log into the file itself. */
function settle(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

function removeAll(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}
