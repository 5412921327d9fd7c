// Opens a compact JWS (RFC 7515) as strictly as RFC 8725 advises: bounded, one algorithm, one key, one spelling.
import { base64url, compactVerify, errors } from 'jose'
import type { CryptoKey } from 'jose'
import { z } from 'zod'
import { readCanonicalJson } from './canonical-json.ts'
import { kidField } from './fields.ts'

/** What a JWS of ours can be; its `typ`, so that one can't be passed off as another (RFC 8725 section 3.11). */
export type JwsType =
  | 'chiyuan-code'
  | 'chiyuan-paper'
  | 'chiyuan-trust-list'
  | 'chiyuan-revocation-list'
  | 'chiyuan-purge-certificate'

/** `form`: not a compact JWS in its one spelling. `header`: names another algorithm, type or way to find the key. */
export type JwsFault = 'too-long' | 'form' | 'header'

export interface CompactJws {
  readonly text: string
  readonly kid: string
  readonly type: JwsType
}

export type JwsReading = { ok: true; jws: CompactJws } | { ok: false; reason: JwsFault }

// Strict: `jwk`, `jku`, `x5c` and `x5u` would let the bearer bring the key, `crit` and `b64` change what is signed.
const headerSchema = z.strictObject({
  alg: z.literal('ES256'),
  typ: z.enum([
    'chiyuan-code',
    'chiyuan-paper',
    'chiyuan-trust-list',
    'chiyuan-revocation-list',
    'chiyuan-purge-certificate',
  ]),
  kid: kidField,
})

// 64 bytes of an ES256 signature, its last character without the four bits that mean nothing.
const signaturePattern = /^[A-Za-z0-9_-]{85}[AQgw]$/

/**
 * Reads the header, and believes none of it but the name of the key. Nothing is parsed above `maxChars`.
 *
 * @param types What it may be; which it is decides by what rules its content is read.
 */
export function readCompactJws(text: string, types: readonly JwsType[], maxChars: number): JwsReading {
  if (text.length > maxChars) return { ok: false, reason: 'too-long' }
  const [header = '', payload = '', signature = '', ...rest] = text.split('.', 4)
  if (rest.length > 0 || !isBase64url(header) || !isBase64url(payload) || !signaturePattern.test(signature)) {
    return { ok: false, reason: 'form' }
  }
  const json = readJsonPart(header)
  if (!json.ok) return { ok: false, reason: 'header' }
  const read = headerSchema.safeParse(json.value)
  if (!read.success || !types.includes(read.data.typ)) return { ok: false, reason: 'header' }
  return { ok: true, jws: { text, kid: read.data.kid, type: read.data.typ } }
}

export type Opened = { ok: true; payload: unknown } | { ok: false; reason: 'tampered' | 'payload' }

/** Verifies the signature, and only then reads what was signed. */
export async function openCompactJws({ text }: CompactJws, key: CryptoKey): Promise<Opened> {
  try {
    await compactVerify(text, key, { algorithms: ['ES256'] })
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed) return { ok: false, reason: 'tampered' }
    throw cause
  }
  const json = readJsonPart(text.split('.', 2)[1] ?? '')
  return json.ok ? { ok: true, payload: json.value } : { ok: false, reason: 'payload' }
}

/**
 * Without padding, white space and bits left over: decoders forgive those, and then one signature would fit several
 * texts, each of them a code that nobody has issued.
 */
function isBase64url(part: string): boolean {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return false
  const left = part.length % 4
  if (left === 0) return true
  return left === 2 ? /[AQgw]$/.test(part) : left === 3 && /[AEIMQUYcgkosw048]$/.test(part)
}

// `ignoreBOM` keeps a byte order mark, which JSON then refuses.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readJsonPart(part: string): ReturnType<typeof readCanonicalJson> {
  try {
    return readCanonicalJson(utf8.decode(base64url.decode(part)))
  } catch {
    return { ok: false }
  }
}
