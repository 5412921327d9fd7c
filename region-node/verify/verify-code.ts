// Judges a code offline: by its signature, the lists that the verifier holds, and the time.
import { codeClaimsSchema, kindOf } from './claims.ts'
import type { CodeClaims } from './claims.ts'
import { openCompactJws, readCompactJws } from './compact-jws.ts'
import { secondsOf } from './fields.ts'
import type { Lists } from './lists.ts'
import type { RevocationList } from './revocation-list.ts'
import { revokes } from './revocation-list.ts'
import type { IssuerKey, TrustList } from './trust-list.ts'
import { delegationsOf } from './trust-list.ts'
import { defaultPolicy } from './verdict.ts'
import type { ListAges, ListProblem, Policy, Verdict } from './verdict.ts'

/** Characters of a code at the most: what one QR code holds (version 25, level L, takes 1,273 bytes). */
export const maxCodeChars = 1195

export interface VerifyOptions {
  readonly nowMs: number
  /** Default: `defaultPolicy`. */
  readonly policy?: Partial<Policy>
}

/**
 * Never throws for what a bearer can bring.
 *
 * @example const verdict = await verifyCode(scanned, lists, { nowMs: Date.now() })
 */
export async function verifyCode(
  text: string,
  lists: Lists,
  { nowMs, policy }: VerifyOptions,
): Promise<Verdict> {
  const rules = { ...defaultPolicy, ...policy }
  const now = secondsOf(nowMs)
  const read = readCompactJws(text, 'chiyuan-code', maxCodeChars)
  const ages = agesOf(lists, read.ok ? read.jws.kid : null, now)
  if (!read.ok) return { outcome: 'malformed', reason: read.reason, lists: ages }
  const { trust } = lists
  // Before the key is looked up: an old list not knowing a new key is no reason to call it unknown.
  const problem = problemOf(trust, now, rules.maxTrustListAgeSeconds, rules)
  if (trust === null || problem !== null) {
    return { outcome: 'list-too-old', list: 'trust-list', why: problem ?? 'missing', lists: ages }
  }
  const issuer = trust.keys.get(read.jws.kid)
  if (issuer === undefined) return { outcome: 'unknown-issuer', reason: 'no-such-key', lists: ages }
  const opened = await openCompactJws(read.jws, issuer.key)
  if (!opened.ok && opened.reason === 'tampered') return { outcome: 'tampered', lists: ages }
  const claims = codeClaimsSchema.safeParse(opened.ok ? opened.payload : undefined)
  if (!claims.success) return { outcome: 'malformed', reason: 'claims', lists: ages }
  const no =
    unauthorised(claims.data, issuer, trust) ??
    untimely(claims.data, now, rules) ??
    withdrawn(claims.data, issuer, lists, now, rules)
  if (no !== null) return { ...no, lists: ages }
  const delegated = claims.data.hom !== issuer.region
  return { outcome: 'valid', kind: kindOf(claims.data), delegated, claims: claims.data, lists: ages }
}

// Distributive, so that each outcome keeps its own fields.
type Judgement = Verdict extends infer V ? (V extends Verdict ? Omit<V, 'lists'> : never) : never

/** Whether the key's owner may speak for this resident during the whole life of the code. */
function unauthorised(claims: CodeClaims, issuer: IssuerKey, trust: TrustList): Judgement | null {
  const { iss, hom, iat, exp } = claims
  if (iss !== issuer.region) return { outcome: 'unknown-issuer', reason: 'not-its-region' }
  if (iat < issuer.nbf || exp > issuer.exp) return { outcome: 'unknown-issuer', reason: 'beyond-key' }
  if (hom === issuer.region) return null
  const covered = delegationsOf(trust, issuer.region, hom).some(
    ({ from, until }) => from <= iat && exp <= until,
  )
  return covered ? null : { outcome: 'undelegated', donor: issuer.region, hom }
}

function untimely({ iat, exp }: CodeClaims, now: number, { clockSkewSeconds }: Policy): Judgement | null {
  if (iat > now + clockSkewSeconds) return { outcome: 'not-yet-valid', validFrom: iat }
  return now - clockSkewSeconds >= exp ? { outcome: 'expired', expiredAt: exp } : null
}

function withdrawn(
  claims: CodeClaims,
  issuer: IssuerKey,
  lists: Lists,
  now: number,
  rules: Policy,
): Judgement | null {
  // A revocation stays true however old its list is, so it is looked for before the age.
  for (const list of lists.revocations.values()) {
    if (hasSay(list, claims, issuer) && revokes(list, claims)) return { outcome: 'revoked' }
  }
  if (rules.revocationsNeededFor === 'carried' && kindOf(claims) === 'display') return null
  const held = lists.revocations.get(issuer.kid) ?? null
  const why = problemOf(held, now, rules.maxRevocationListAgeSeconds, rules)
  return why === null ? null : { outcome: 'list-too-old', list: 'revocation-list', why }
}

/** A region may take back what its key signed, and what anybody signed about its own residents. */
const hasSay = (list: RevocationList, { hom }: CodeClaims, { kid }: IssuerKey): boolean =>
  list.kid === kid || list.iss === hom

type Dated = Pick<TrustList, 'iat' | 'nextUpdate'>

function problemOf(
  list: Dated | null,
  now: number,
  maxAge: number,
  { clockSkewSeconds }: Policy,
): ListProblem | null {
  if (list === null) return 'missing'
  // A clock set back would bring expired codes to life; the newest list shows that it was.
  if (list.iat > now + clockSkewSeconds) return 'ahead-of-clock'
  return now - list.iat > maxAge || now >= list.nextUpdate ? 'over-age' : null
}

function agesOf({ trust, revocations }: Lists, kid: string | null, now: number): ListAges {
  const list = kid === null ? undefined : revocations.get(kid)
  return {
    trustSeconds: trust === null ? null : Math.max(0, now - trust.iat),
    revocationsSeconds: list === undefined ? null : Math.max(0, now - list.iat),
  }
}
