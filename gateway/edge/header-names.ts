// Header names off the wire, decoded and lower-cased once and known again by their bytes: there are few, and they recur.

export interface HeaderName {
  /** As the sender spelt it. */
  readonly name: string
  readonly lower: string
}

interface Known extends HeaderName {
  readonly bytes: Uint8Array
}

/** Names by a cheap digest of their bytes; a collision only costs the decoding. */
const known = new Map<number, Known>()
const knownAtMost = 2000

/** @param raw A name as bytes or as text; `undefined` reads as an empty name. */
export function headerName(raw: Buffer | string | undefined): HeaderName {
  if (raw === undefined) return { name: '', lower: '' }
  if (typeof raw === 'string') return { name: raw, lower: raw.toLowerCase() }
  const digest = digestOf(raw)
  const found = known.get(digest)
  if (found !== undefined && sameBytes(found.bytes, raw)) return found
  const name = raw.toString('latin1')
  const made = { name, lower: name.toLowerCase(), bytes: Uint8Array.from(raw) }
  if (known.size < knownAtMost) known.set(digest, made)
  return made
}

function digestOf(bytes: Buffer): number {
  let h = bytes.length
  for (const byte of bytes) h = (Math.imul(h, 31) + byte) | 0
  return h
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const nobody: ReadonlySet<string> = new Set()

/** Headers that a `Connection` value names, lower-cased: they are for that connection alone (RFC 9110 section 7.6.1). */
export function nominatedBy(connection: string): ReadonlySet<string> {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return nobody
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
}

/** A flat list of names and values without the headers of these lower-cased names. */
export const withoutNames = (flat: string[], names: ReadonlySet<string>): string[] =>
  names.size === 0 ? flat : flat.filter((_, i) => !names.has((flat[i - (i % 2)] ?? '').toLowerCase()))
