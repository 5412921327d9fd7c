// The secrets behind subject tokens, one an epoch, in a file that only its owner can read.
import { createSecretKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import type { IdentityDocument } from './document.ts'
import { subjectToken } from './subject-token.ts'

/** The message says in one line which file and what is wrong with it, never what is in it. */
export class PepperFileError extends Error {
  override readonly name = 'PepperFileError'
}

/** @property epoch Counts up from 1; tokens of two epochs can't be told to be the same person's. */
export interface Pepper {
  readonly epoch: number
  readonly key: KeyObject
}

const KEY_BYTES = 32
const OWNER_ONLY = 0o600

const fileSchema = z.strictObject({
  peppers: z
    .array(
      z.strictObject({
        epoch: z.int().min(1),
        key: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url'),
      }),
    )
    .min(1)
    .refine((peppers) => new Set(peppers.map(({ epoch }) => epoch)).size === peppers.length, {
      error: 'must not have two of one epoch',
    }),
})

/**
 * A person's tokens, the current epoch's first: while a rotation is under way a record may stand under
 * either.
 */
export const tokensOf = (peppers: readonly Pepper[], document: IdentityDocument): string[] =>
  peppers.map(({ key }) => subjectToken(key, document))

/**
 * @returns Newest epoch first.
 * @throws {PepperFileError}
 */
export function readPeppers(file: string): Pepper[] {
  const read = fileSchema.safeParse(readPrivateJson(file))
  if (!read.success) {
    const faults = read.error.issues.map(faultOf)
    throw new PepperFileError(`pepper file ${file} can't be used: ${faults.join('; ')}`)
  }
  return read.data.peppers
    .map(({ epoch, key }) => ({ epoch, key: createSecretKey(key, 'base64url') }))
    .sort((a, b) => b.epoch - a.epoch)
}

// zod names a field that it does not know, and what stands there may be a key in the wrong place.
const faultOf = ({ code, path, message }: z.core.$ZodIssue): string =>
  code === 'unrecognized_keys' ? 'it has a field that is none of its own' : `${path.join('.')}: ${message}`

/** Writes a file with one new pepper of epoch 1. @throws {PepperFileError} It is there already, or can't be written. */
export function createPepperFile(file: string): void {
  writePrivate(file, [newPepper(1)], file)
}

/** Adds a pepper of the next epoch; the old ones stay, until their records have been renamed. */
export function rotatePeppers(file: string): void {
  const present = readPeppers(file)
  const [newest] = present
  const next = newPepper((newest?.epoch ?? 0) + 1)
  const beside = `${file}.${process.pid}.new`
  writePrivate(beside, [next, ...present], file)
  // Renamed when whole: a crash leaves the old file or the new one, never half of one.
  renameSync(beside, file)
}

const newPepper = (epoch: number): Pepper => ({ epoch, key: createSecretKey(randomBytes(KEY_BYTES)) })

function readPrivateJson(file: string): unknown {
  try {
    const opened = openSync(file, 'r')
    try {
      const mode = fstatSync(opened).mode & 0o777
      if ((mode & 0o077) !== 0) {
        throw new PepperFileError(
          `pepper file ${file} can be read by others (mode ${mode.toString(8)}); run: chmod 600 ${file}`,
        )
      }
      return JSON.parse(readFileSync(opened, 'utf8'))
    } finally {
      closeSync(opened)
    }
  } catch (error) {
    if (error instanceof PepperFileError) throw error
    // No cause: the message of a JSON error quotes what it read, which here is a key.
    throw new PepperFileError(`pepper file ${file} can't be used: ${reasonOf(error)}`)
  }
}

function writePrivate(file: string, peppers: readonly Pepper[], named: string): void {
  const stored = peppers.map(({ epoch, key }) => ({ epoch, key: key.export().toString('base64url') }))
  try {
    const opened = openSync(file, 'wx', OWNER_ONLY)
    try {
      writeSync(opened, `${JSON.stringify({ peppers: stored }, null, 2)}\n`)
      fsyncSync(opened)
    } finally {
      closeSync(opened)
    }
  } catch (error) {
    throw new PepperFileError(`pepper file ${named} can't be written: ${reasonOf(error)}`)
  }
}

const reasonOf = (error: unknown): string =>
  isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : 'it is not JSON'
