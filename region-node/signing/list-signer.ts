// Signs the two kinds of list: a trust root signs trust lists, a region's key signs revocation lists.
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { readCompactJws } from '../verify/compact-jws.ts'
import type { JwsType } from '../verify/compact-jws.ts'
import { counterField, secondsOf } from '../verify/fields.ts'
import { revocationListSchema } from '../verify/revocation-list.ts'
import type { RevocationListDocument } from '../verify/revocation-list.ts'
import { trustListSchema } from '../verify/trust-list.ts'
import type { TrustListDocument } from '../verify/trust-list.ts'
import { KeyError } from './key-error.ts'
import type { KeyRing, Signer } from './key-ring.ts'

export interface IssueTime {
  readonly nowMs: number
  /** When the next list is due; verifiers go by this one no longer than that. */
  readonly validSeconds: number
}

export type TrustListContent = Pick<TrustListDocument, 'counter' | 'issuers' | 'delegations'>

/** @throws {z.ZodError} when the content breaks the format. @throws {KeyError} when no root key's time is now. */
export function signTrustList(ring: KeyRing, content: TrustListContent, time: IssueTime): Promise<string> {
  const list = trustListSchema.parse({ v: 1, ...content, ...issue(time) })
  return signerOf(ring, time.nowMs).sign('chiyuan-trust-list', list)
}

export type RevocationListContent = Pick<RevocationListDocument, 'counter' | 'kid' | 'revoked'>

/**
 * @param content.kid Whose codes it speaks of: any key of the region, a retired one too.
 * @throws {z.ZodError} when the content breaks the format. @throws {KeyError} when no key's time is now.
 */
export function signRevocationList(
  ring: KeyRing,
  content: RevocationListContent,
  time: IssueTime,
): Promise<string> {
  const list = revocationListSchema.parse({ v: 1, iss: ring.region, ...content, ...issue(time) })
  return signerOf(ring, time.nowMs).sign('chiyuan-revocation-list', list)
}

const issue = ({ nowMs, validSeconds }: IssueTime) => {
  const iat = secondsOf(nowMs)
  return { iat, nextUpdate: iat + validSeconds }
}

function signerOf(ring: KeyRing, nowMs: number): Signer {
  const signer = ring.signerAt(nowMs)
  if (signer !== null) return signer
  throw new KeyError(`no key of region ${ring.region} may sign now; make the next with: chiyuan keys rotate`)
}

const countedSchema = z.object({ counter: counterField })

/** The counter of a list that its signer kept; `null` where `text` is no such list. Nothing is verified. */
export function counterIn(text: string, type: JwsType): number | null {
  if (!readCompactJws(text, [type], text.length).ok) return null
  const read = countedSchema.safeParse(decodeJwt(text))
  return read.success ? read.data.counter : null
}

// Only papers have names of 16 bytes.
const revokedSchema = z.object({ revoked: z.array(z.object({ rid: z.string().optional() })) })
const paperNameChars = 22

/** Names of printed codes in a revocation list that its signer kept. Nothing is verified. */
export function papersRevokedIn(text: string): string[] {
  if (!readCompactJws(text, ['chiyuan-revocation-list'], text.length).ok) return []
  const { revoked } = revokedSchema.safeParse(decodeJwt(text)).data ?? { revoked: [] }
  return revoked.flatMap(({ rid }) => (rid?.length === paperNameChars ? [rid] : []))
}
