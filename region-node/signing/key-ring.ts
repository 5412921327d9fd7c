// A region's keys, ready to sign. What comes out of it are signatures and public keys.
import { CompactSign } from 'jose'
import type { CryptoKey } from 'jose'
import { join } from 'node:path'
import type { JwsType } from '../verify/compact-jws.ts'
import { secondsOf } from '../verify/fields.ts'
import type { Jwks, PublicKey } from '../verify/public-key.ts'
import { isSealed, privateKeyOf, readKeyDocument } from './key-document.ts'
import type { KeyDocument } from './key-document.ts'
import { KeyError } from './key-error.ts'
import { readKeyFiles } from './key-folder.ts'
import { publishedAt, stagesAt } from './key-life.ts'
import type { StagedKey } from './key-life.ts'

/** The key that signs at one moment. */
export interface Signer {
  readonly jwk: PublicKey
  sign(type: JwsType, payload: unknown): Promise<string>
}

const encoder = new TextEncoder()

export class KeyRing {
  readonly region: string
  readonly #privateKeys: ReadonlyMap<string, CryptoKey>
  readonly #publicKeys: readonly PublicKey[]

  private constructor(
    documents: readonly KeyDocument[],
    privateKeys: ReadonlyMap<string, CryptoKey>,
    region: string,
  ) {
    this.region = region
    this.#publicKeys = documents.map(({ jwk }) => jwk)
    this.#privateKeys = privateKeys
  }

  /**
   * Reads the folder once: after a rotation it is opened anew.
   *
   * @throws {KeyError} when there is no key, one can't be used, others may read one, or the passphrase is wrong.
   */
  static async open(folder: string, passphrase: string | null = null): Promise<KeyRing> {
    const documents = await readKeyDocuments(folder)
    const region = regionOf(documents, folder)
    const privateKeys = new Map<string, CryptoKey>()
    for (const document of documents) {
      const file = join(folder, `${document.jwk.kid}.json`)
      privateKeys.set(document.jwk.kid, await privateKeyOf(document, passphrase, file))
    }
    return new KeyRing(documents, privateKeys, region)
  }

  /** What others need to verify: the next, the signing and the retired keys. */
  jwks(nowMs: number): Jwks {
    return jwksAt(this.#publicKeys, nowMs)
  }

  /** `null` when no key's time is now. */
  signerAt(nowMs: number): Signer | null {
    const jwk = this.stages(nowMs).find(({ stage }) => stage === 'signing')?.jwk
    const key = jwk === undefined ? undefined : this.#privateKeys.get(jwk.kid)
    if (jwk === undefined || key === undefined) return null
    return {
      jwk,
      sign: (type, payload) =>
        new CompactSign(encoder.encode(JSON.stringify(payload)))
          .setProtectedHeader({ alg: 'ES256', typ: type, kid: jwk.kid })
          .sign(key),
    }
  }

  stages(nowMs: number): readonly StagedKey[] {
    return stagesAt(this.#publicKeys, secondsOf(nowMs))
  }
}

export const jwksAt = (keys: readonly PublicKey[], nowMs: number): Jwks => ({
  keys: publishedAt(keys, secondsOf(nowMs)),
})

/** The public parts need no passphrase. @throws {KeyError} */
export async function readKeyDocuments(folder: string): Promise<KeyDocument[]> {
  return (await readKeyFiles(folder)).map(readKeyDocument)
}

/** @throws {KeyError} when there is no key, or keys of several regions lie together. */
export function regionOf(documents: readonly KeyDocument[], folder: string): string {
  const [region, ...others] = new Set(documents.map((document) => document.region))
  if (region === undefined) throw new KeyError(`${folder}: it holds no key; make one with: chiyuan keys new`)
  if (others.length > 0) {
    throw new KeyError(
      `${folder}: keys of ${[region, ...others].join(' and ')} lie here; a folder is for one region`,
    )
  }
  if (new Set(documents.map(isSealed)).size > 1) {
    throw new KeyError(
      `${folder}: some keys are sealed and some are not; keep one kind, and rotate the rest away`,
    )
  }
  return region
}
