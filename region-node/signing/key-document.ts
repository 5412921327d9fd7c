// One key as it lies in its file: whose it is, its public part in the clear, its private part as JWK or sealed.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { CryptoKey } from 'jose'
import { z } from 'zod'
import { regionField } from '../verify/fields.ts'
import { publicKeySchema } from '../verify/public-key.ts'
import type { PublicKey } from '../verify/public-key.ts'
import { KeyError } from './key-error.ts'
import type { KeyFileText } from './key-folder.ts'
import type { Term } from './key-life.ts'
import { seal, unseal } from './sealing.ts'

const privatePartSchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string().length(43),
})

const keyDocumentSchema = z.strictObject({
  region: regionField,
  jwk: publicKeySchema,
  /** A string where it is sealed. */
  private: z.union([privatePartSchema, z.string().max(8_192)]),
})

export type KeyDocument = z.infer<typeof keyDocumentSchema>

export const isSealed = (document: KeyDocument): boolean => typeof document.private === 'string'

/** @throws {KeyError} Without what the file holds: not even a parser's excerpt of it. */
export function readKeyDocument({ file, text }: KeyFileText): KeyDocument {
  const read = keyDocumentSchema.safeParse(parsed(text))
  if (!read.success) {
    const fields = [...new Set(read.error.issues.map(({ path }) => path.join('.') || 'the whole file'))].join(
      ', ',
    )
    throw new KeyError(
      `${file}: not a key file of chiyuan (wrong: ${fields}); restore it from a backup or remove it`,
    )
  }
  if (!file.endsWith(`${read.data.jwk.kid}.json`)) {
    throw new KeyError(`${file}: it holds key ${read.data.jwk.kid}; name it ${read.data.jwk.kid}.json`)
  }
  return read.data
}

/**
 * The private key as something that can sign and nothing else: it can't be exported again.
 *
 * @throws {KeyError} when it is sealed and the passphrase does not open it, or it is not the private part of `jwk`.
 */
export async function privateKeyOf(
  document: KeyDocument,
  passphrase: string | null,
  file: string,
): Promise<CryptoKey> {
  const part = await privatePartOf(document, passphrase, file)
  const { x, y } = document.jwk
  if (part.x !== x || part.y !== y) {
    throw new KeyError(`${file}: its private and public part are not of one key; restore it from a backup`)
  }
  try {
    return await importJWK(part, 'ES256', { extractable: false })
  } catch {
    throw new KeyError(`${file}: its private and public part are not of one key; restore it from a backup`)
  }
}

export interface KeyRequest {
  readonly region: string
  readonly term: Term
  readonly passphrase: string | null
  readonly rounds?: number
}

/** A new key, ready to be written to its file. */
export async function newKeyDocument({ region, term, passphrase, rounds }: KeyRequest): Promise<KeyDocument> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const part = privatePartSchema.parse(withoutExtras(await exportJWK(privateKey)))
  const kid = await calculateJwkThumbprint({ kty: part.kty, crv: part.crv, x: part.x, y: part.y })
  const jwk: PublicKey = {
    kty: 'EC',
    crv: 'P-256',
    x: part.x,
    y: part.y,
    kid,
    alg: 'ES256',
    use: 'sig',
    ...term,
  }
  const kept = passphrase === null ? part : await seal(JSON.stringify(part), passphrase, rounds)
  return { region, jwk, private: kept }
}

async function privatePartOf(
  { private: kept }: KeyDocument,
  passphrase: string | null,
  file: string,
): Promise<z.infer<typeof privatePartSchema>> {
  if (typeof kept !== 'string') return kept
  if (passphrase === null) {
    throw new KeyError(`${file}: the key is sealed; give its passphrase by --passphrase-file`)
  }
  const read = privatePartSchema.safeParse(parsed(await unseal(kept, passphrase, file)))
  if (read.success) return read.data
  throw new KeyError(`${file}: what was sealed is no private key; restore it from a backup`)
}

const withoutExtras = ({ kty, crv, x, y, d }: Awaited<ReturnType<typeof exportJWK>>) => ({
  kty,
  crv,
  x,
  y,
  d,
})

// The parser's own error would quote the text, and with it the key.
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
