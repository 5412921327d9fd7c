// The lists that a verifier holds, and the only ways to take a newer one: signed, of the right signer, never older.
import { openCompactJws, readCompactJws } from './compact-jws.ts'
import type { CompactJws, JwsFault, JwsType } from './compact-jws.ts'
import { secondsOf } from './fields.ts'
import type { RevocationList } from './revocation-list.ts'
import { readRevocationList } from './revocation-list.ts'
import type { IssuerKey, TrustList } from './trust-list.ts'
import { readTrustList } from './trust-list.ts'

/** A key that may sign trust lists: held by the verifier beforehand, never taken from a list. */
export type RootKey = Omit<IssuerKey, 'region'>

/** What a verifier goes by; never changed, only replaced by a newer one. */
export interface Lists {
  readonly roots: readonly RootKey[]
  readonly trust: TrustList | null
  /** By the key whose codes each speaks of. */
  readonly revocations: ReadonlyMap<string, RevocationList>
}

export type ListFault =
  | JwsFault
  /** Not signed by a trust root or, for revocations, by a listed key of the region. */
  | 'unknown-signer'
  | 'tampered'
  /** Signed, but not what such a list holds. */
  | 'content'
  | 'from-the-future'
  /** Older than the one held: somebody may be hiding a revocation. */
  | 'rollback'
  /** Another list under the counter of the one held. */
  | 'conflict'

export type Taken = { ok: true; lists: Lists } | { ok: false; reason: ListFault; detail: string }

export interface TakingTime {
  readonly nowMs: number
  /** How far ahead the signer's clock may be. Default 30. */
  readonly clockSkewSeconds?: number
}

const maxTrustListChars = 8 * 1024 * 1024
const maxRevocationListChars = 16 * 1024 * 1024

export const emptyLists = (roots: readonly RootKey[]): Lists => ({
  roots,
  trust: null,
  revocations: new Map(),
})

/** `lists` with the trust list in `text`, unless it must not be believed. */
export async function takeTrustList(lists: Lists, text: string, time: TakingTime): Promise<Taken> {
  const signed = await openSigned(text, 'chiyuan-trust-list', maxTrustListChars, (kid) =>
    lists.roots.find((root) => root.kid === kid),
  )
  if (!signed.ok) return signed
  const read = await readTrustList(signed.payload, text)
  if (!read.ok) return refused('content', read.detail)
  const fault = unfit(read.list, signed.signer, lists.trust, time)
  return fault ?? { ok: true, lists: { ...lists, trust: read.list } }
}

/** `lists` with the revocation list in `text`. The trust list that vouches for its signer must be there already. */
export async function takeRevocationList(lists: Lists, text: string, time: TakingTime): Promise<Taken> {
  const keys = lists.trust?.keys
  const signed = await openSigned(text, 'chiyuan-revocation-list', maxRevocationListChars, (kid) =>
    keys?.get(kid),
  )
  if (!signed.ok) return signed
  const read = readRevocationList(signed.payload, text)
  if (!read.ok) return refused('content', read.detail)
  const { list } = read
  const speaker = keys?.get(signed.signer.kid)?.region
  // A region speaks for itself and its own keys: else any region could void another one's codes.
  if (list.iss !== speaker || keys?.get(list.kid)?.region !== speaker) {
    return refused('unknown-signer', `its signer is not of the region whose key ${list.kid} is`)
  }
  const fault = unfit(list, signed.signer, lists.revocations.get(list.kid) ?? null, time)
  return (
    fault ?? { ok: true, lists: { ...lists, revocations: new Map(lists.revocations).set(list.kid, list) } }
  )
}

type Signed<Key> = { ok: true; payload: unknown; signer: Key } | Extract<Taken, { ok: false }>

async function openSigned<Key extends RootKey>(
  text: string,
  type: JwsType,
  maxChars: number,
  signerOf: (kid: string) => Key | undefined,
): Promise<Signed<Key>> {
  const read = readCompactJws(text, [type], maxChars)
  if (!read.ok) return refused(read.reason, formDetail(read.reason, type, maxChars))
  const signer = signerOf(read.jws.kid)
  if (signer === undefined)
    return refused('unknown-signer', `nobody known here signs with key ${read.jws.kid}`)
  return openWith(read.jws, signer)
}

async function openWith<Key extends RootKey>(jws: CompactJws, signer: Key): Promise<Signed<Key>> {
  const opened = await openCompactJws(jws, signer.key)
  if (opened.ok) return { ok: true, payload: opened.payload, signer }
  return opened.reason === 'tampered'
    ? refused('tampered', 'its signature does not fit its text')
    : refused('content', 'its payload is not JSON in canonical form')
}

type Dated = Pick<TrustList, 'counter' | 'iat' | 'text'>

function unfit(
  list: Dated,
  signer: RootKey,
  held: Dated | null,
  time: TakingTime,
): Extract<Taken, { ok: false }> | null {
  const now = secondsOf(time.nowMs)
  if (list.iat > now + (time.clockSkewSeconds ?? 30)) {
    return refused('from-the-future', `it was issued ${list.iat - now} s from now; is this clock right?`)
  }
  if (list.iat < signer.nbf || list.iat >= signer.signsUntil) {
    return refused('unknown-signer', `key ${signer.kid} was not to sign at the time of the list`)
  }
  if (held === null || list.counter > held.counter) return null
  if (list.counter < held.counter) {
    return refused('rollback', `its counter is ${list.counter}, and ${held.counter} is held already`)
  }
  return list.text === held.text
    ? null
    : refused('conflict', `another list with counter ${held.counter} is held already`)
}

const refused = (reason: ListFault, detail: string) => ({ ok: false, reason, detail }) as const

const formDetail = (reason: JwsFault, type: JwsType, maxChars: number): string =>
  reason === 'too-long'
    ? `it is longer than ${maxChars} characters`
    : reason === 'form'
      ? 'it is not a compact JWS'
      : `its header must hold alg ES256, typ ${type} and the kid of the signer, and nothing else`
