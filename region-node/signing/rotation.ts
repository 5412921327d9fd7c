// Makes a region's first key and every next one, and removes those that are over.
import { join } from 'node:path'
import { secondsOf } from '../verify/fields.ts'
import type { PublicKey } from '../verify/public-key.ts'
import { isSealed, newKeyDocument, privateKeyOf } from './key-document.ts'
import type { KeyDocument, KeyRequest } from './key-document.ts'
import { KeyError } from './key-error.ts'
import { prepareKeyFolder, readKeyFiles, removeKeyFile, writeKeyFile } from './key-folder.ts'
import { stagesAt, termFrom } from './key-life.ts'
import { readKeyDocuments, regionOf } from './key-ring.ts'

export interface NewKeyOptions {
  readonly nowMs: number
  /** How long it may sign, days. */
  readonly days: number
  /** `null`: the file is protected by its mode alone. */
  readonly passphrase: string | null
  /** Of key derivation. Default: what is advised. */
  readonly rounds?: number
}

/** A region's first key; it signs from now on. @throws {KeyError} when the folder holds keys already. */
export async function createFirstKey(
  folder: string,
  region: string,
  options: NewKeyOptions,
): Promise<PublicKey> {
  await prepareKeyFolder(folder)
  if ((await readKeyFiles(folder)).length > 0) {
    throw new KeyError(`${folder}: it holds keys already; add the next one with: chiyuan keys rotate`)
  }
  return write(folder, { ...options, region, term: termFrom(secondsOf(options.nowMs), 0, options.days) })
}

export interface Rotation {
  readonly next: PublicKey
  /** Kids of the keys whose last code has expired; their files are gone. */
  readonly removed: readonly string[]
}

/**
 * Adds the key that signs after `leadSeconds`, by when every verifier should know it.
 *
 * @throws {KeyError} when one is waiting that would sign earlier, or the passphrase is not that of the other keys.
 */
export async function rotate(
  folder: string,
  options: NewKeyOptions & { readonly leadSeconds: number },
): Promise<Rotation> {
  const documents = await readKeyDocuments(folder)
  const region = regionOf(documents, folder)
  await refuseOtherPassphrase(documents, options.passphrase, folder)
  const now = secondsOf(options.nowMs)
  const stages = stagesAt(
    documents.map(({ jwk }) => jwk),
    now,
  )
  // A stolen key is replaced at once, whatever waits for later.
  const waiting = stages.find(({ stage, jwk }) => stage === 'next' && jwk.nbf <= now + options.leadSeconds)
  if (waiting !== undefined) {
    const from = new Date(waiting.jwk.nbf * 1000).toISOString()
    throw new KeyError(`${folder}: key ${waiting.jwk.kid} is next already, from ${from}; one at a time`)
  }
  const next = await write(folder, {
    ...options,
    region,
    term: termFrom(now, options.leadSeconds, options.days),
  })
  const removed = stages.filter(({ stage }) => stage === 'over').map(({ jwk }) => jwk.kid)
  await Promise.all(removed.map((kid) => removeKeyFile(folder, kid)))
  return { next, removed }
}

async function write(folder: string, request: KeyRequest): Promise<PublicKey> {
  const document = await newKeyDocument(request)
  await writeKeyFile(folder, document.jwk.kid, `${JSON.stringify(document, null, 2)}\n`)
  return document.jwk
}

// A ring under two passphrases could not be opened any more.
async function refuseOtherPassphrase(
  documents: readonly KeyDocument[],
  passphrase: string | null,
  folder: string,
): Promise<void> {
  const [some] = documents
  if (some === undefined) return
  if (passphrase !== null && !isSealed(some)) {
    throw new KeyError(
      `${folder}: its keys are not sealed, so the next can't be either; make a new folder for that`,
    )
  }
  await privateKeyOf(some, passphrase, join(folder, `${some.jwk.kid}.json`))
}
