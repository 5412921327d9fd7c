// The file that is being made: another name until it is whole, and no trace when it never will be.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { StartError } from '../start-error.ts'

/** Where `file` grows. A node is never started on it by mistake. */
export const partialOf = (file: string): string => `${file}.partial`

/**
 * Makes an empty partial file, which is the caller's from then on, to finish or to remove.
 *
 * @param force Whether a data file that is there may be replaced.
 * @returns Whether an earlier run had left something, which is removed.
 * @throws {StartError} The file is there and may not be replaced, is in use, isn't a node's, or can't be made.
 */
export function claimTarget(file: string, force: boolean): boolean {
  refuseFolder(file)
  const folder = dirname(file)
  if (!existsSync(folder)) throw new StartError(`${folder} is missing; make it, or choose another --data`)
  if (existsSync(file)) {
    if (!force) throw new StartError(`${file} exists; choose another --data, or replace it with --force`)
    refuseUnlessOurs(file)
  }
  const partial = partialOf(file)
  const busy = `${partial} is being written by another run; wait for it, or stop it`
  const left = existsSync(partial)
  if (left) refuseIfOpen(partial, busy)
  try {
    if (left) removeDatabase(partial)
    // What a node knows of people is nobody else's business on the machine.
    closeSync(openSync(partial, 'wx', 0o600))
  } catch (error) {
    throw isNativeError(error) && error.message.startsWith('EEXIST')
      ? new StartError(busy, error)
      : writeFault(error, file)
  }
  return left
}

/** @throws {StartError} There is less room than the file will take. */
export function refuseWithoutRoom(file: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(file))
  const freeBytes = bavail * bsize
  if (freeBytes >= neededBytes) return
  throw new StartError(
    `${file} will take about ${gigabytes(neededBytes)}, and its disk has ${gigabytes(freeBytes)} free; ` +
      'choose another --data, a smaller --count, or --no-tests',
  )
}

/** Gives the whole file its name, on disk before and after. Replaces what was there. */
export function publish(file: string): void {
  const partial = partialOf(file)
  syncToDisk(partial)
  if (existsSync(file)) refuseUnlessOurs(file)
  // Also without a file: a log that one left behind would be replayed into the new one.
  removeDatabase(file)
  renameSync(partial, file)
  syncToDisk(dirname(file))
}

export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

/** What went wrong while the file was written, in words that say what to do. */
export function writeFault(error: unknown, file: string): StartError {
  const reason = isNativeError(error) ? error.message : String(error)
  if (/disk is full|ENOSPC/.test(reason)) {
    return new StartError(`the disk of ${file} is full; nothing was left on it`, error)
  }
  return new StartError(`${file} can't be written: ${reason}; nothing was left behind`, error)
}

export const gigabytes = (bytes: number): string =>
  bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`

function refuseFolder(file: string): void {
  if (existsSync(file) && statSync(file).isDirectory()) {
    throw new StartError(`${file} is a folder; --data must name a file, such as ${file}/610100.db`)
  }
}

function refuseUnlessOurs(file: string): void {
  refuseIfOpen(file, `${file} is in use by a node; stop it first`)
  if (!hasResidents(file)) {
    throw new StartError(`${file} is no data file of a region node; choose another --data`)
  }
}

const oneTable = z.object({ tables: z.literal(1) })

function hasResidents(file: string): boolean {
  try {
    using db = new DatabaseSync(file, { readOnly: true })
    const found = db.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'resident'").get()
    return oneTable.safeParse(found).success
  } catch {
    return false
  }
}

function refuseIfOpen(file: string, complaint: string): void {
  try {
    using db = new DatabaseSync(file)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT')
  } catch (error) {
    if (isNativeError(error) && error.message.includes('locked')) throw new StartError(complaint, error)
  }
}

function syncToDisk(path: string): void {
  const opened = openSync(path, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}
