// A public key as a JWK: P-256 only, named by its thumbprint, with the time in which it may sign.
import { calculateJwkThumbprint, importJWK } from 'jose'
import type { CryptoKey } from 'jose'
import { z } from 'zod'
import { kidField, secondsField } from './fields.ts'

// 32 bytes as base64url.
const coordinate = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'a coordinate of 43 base64url characters')

export const publicKeySchema = z
  .strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    kid: kidField,
    alg: z.literal('ES256'),
    use: z.literal('sig'),
    /** What it signs is believed from here on (`iat`), in seconds. */
    nbf: secondsField,
    /** Nothing that it signs may live longer than this, in seconds. */
    exp: secondsField,
    /** Its successor's time: what it signs is not believed from here on (`iat`), in seconds. Left out: until `exp`. */
    signsUntil: secondsField.optional(),
  })
  .refine(({ nbf, exp }) => exp > nbf, { path: ['exp'], message: 'above nbf' })

/** From when on nothing that the key signs is believed, seconds: a retired key still vouches for what is out. */
export const signingEnds = ({ exp, signsUntil }: Pick<PublicKey, 'exp' | 'signsUntil'>): number =>
  Math.min(exp, signsUntil ?? exp)

/** Public part of a key; strict, so that a private one (`d`) is refused wherever a public one is meant. */
export type PublicKey = z.infer<typeof publicKeySchema>

export const jwksSchema = z.strictObject({ keys: z.array(publicKeySchema).min(1).max(64) })

/** A JWK set (RFC 7517 section 5). */
export interface Jwks {
  readonly keys: readonly PublicKey[]
}

export type KeyImport = { ok: true; key: CryptoKey } | { ok: false; reason: string }

export async function importPublicKey(jwk: PublicKey): Promise<KeyImport> {
  const { kid, nbf: _nbf, exp: _exp, signsUntil: _signsUntil, ...point } = jwk
  if ((await calculateJwkThumbprint(point)) !== kid) {
    return { ok: false, reason: `key ${kid}: its kid is not its thumbprint (RFC 7638)` }
  }
  try {
    return { ok: true, key: await importJWK(point, 'ES256') }
  } catch {
    return { ok: false, reason: `key ${kid}: x and y are no point of P-256` }
  }
}
