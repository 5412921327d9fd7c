// Judges a code offline: by its signature, the lists that the verifier holds, and the time.
import { codeClaimsSchema, kindOf } from './claims.ts'
import type { CodeClaims } from './claims.ts'
import { openCompactJws, readCompactJws } from './compact-jws.ts'
import type { JwsType } from './compact-jws.ts'
import { secondsOf } from './fields.ts'
import type { Lists } from './lists.ts'
import { paperClaimsSchema } from './paper-claims.ts'
import type { PaperClaims } from './paper-claims.ts'
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
  /** Region whose loss reports the verifier has itself: the paper that it signed needs no revocation list. */
  readonly lossesKnownOf?: string
}

const codeTypes: readonly JwsType[] = ['chiyuan-code', 'chiyuan-paper']

/**
 * Never throws for what a bearer can bring.
 *
 * @example const verdict = await verifyCode(scanned, lists, { nowMs: Date.now() })
 */
export async function verifyCode(
  text: string,
  lists: Lists,
  { nowMs, policy, lossesKnownOf }: VerifyOptions,
): Promise<Verdict> {
  const rules = { ...defaultPolicy, ...policy }
  const now = secondsOf(nowMs)
  const read = readCompactJws(text, codeTypes, maxCodeChars)
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
  const said = opened.ok ? readClaims(read.jws.type, opened.payload) : null
  if (said === null) return { outcome: 'malformed', reason: 'claims', lists: ages }
  const { claims } = said
  const no =
    unauthorised(claims, issuer, trust) ??
    untimely(claims, now, rules) ??
    withdrawn(said, issuer, lists, { now, rules, lossesKnownOf })
  if (no !== null) return { ...no, lists: ages }
  const delegated = claims.hom !== issuer.region
  return said.paper
    ? { outcome: 'genuine-paper', delegated, claims: said.claims, lists: ages }
    : { outcome: 'valid', kind: kindOf(said.claims), delegated, claims: said.claims, lists: ages }
}

type Said =
  | { readonly paper: false; readonly claims: CodeClaims }
  | { readonly paper: true; readonly claims: PaperClaims }

/** By the rules of what its header says it is, so that neither can pass for the other. */
function readClaims(type: JwsType, payload: unknown): Said | null {
  if (type === 'chiyuan-paper') {
    const paper = paperClaimsSchema.safeParse(payload)
    return paper.success ? { paper: true, claims: paper.data } : null
  }
  const code = codeClaimsSchema.safeParse(payload)
  return code.success ? { paper: false, claims: code.data } : null
}

type Terms = Pick<CodeClaims, 'iss' | 'hom' | 'iat' | 'exp'>

// Distributive, so that each outcome keeps its own fields.
type Judgement = Verdict extends infer V ? (V extends Verdict ? Omit<V, 'lists'> : never) : never

/** Whether the key's owner may speak for this resident during the whole life of the code. */
function unauthorised(claims: Terms, issuer: IssuerKey, trust: TrustList): Judgement | null {
  const { iss, hom, iat, exp } = claims
  if (iss !== issuer.region) return { outcome: 'unknown-issuer', reason: 'not-its-region' }
  if (iat < issuer.nbf || iat >= issuer.signsUntil || exp > issuer.exp) {
    return { outcome: 'unknown-issuer', reason: 'beyond-key' }
  }
  if (hom === issuer.region) return null
  const covered = delegationsOf(trust, issuer.region, hom).some(
    ({ from, until }) => from <= iat && exp <= until,
  )
  return covered ? null : { outcome: 'undelegated', donor: issuer.region, hom }
}

function untimely({ iat, exp }: Terms, now: number, { clockSkewSeconds }: Policy): Judgement | null {
  if (iat > now + clockSkewSeconds) return { outcome: 'not-yet-valid', validFrom: iat }
  return now - clockSkewSeconds >= exp ? { outcome: 'expired', expiredAt: exp } : null
}

interface Judging {
  readonly now: number
  readonly rules: Policy
  readonly lossesKnownOf: string | undefined
}

function withdrawn(
  said: Said,
  issuer: IssuerKey,
  lists: Lists,
  { now, rules, lossesKnownOf }: Judging,
): Judgement | null {
  const { rid, iat, hom } = said.claims
  const named = { rid, iat, subject: said.paper ? null : said.claims.sub }
  // A revocation stays true however old its list is, so it is looked for before the age.
  for (const list of lists.revocations.values()) {
    if (hasSay(list, hom, issuer) && revokes(list, named)) return { outcome: 'revoked' }
  }
  if (said.paper ? issuer.region === lossesKnownOf : isTooShort(said.claims, rules)) return null
  const held = lists.revocations.get(issuer.kid) ?? null
  const why = problemOf(held, now, rules.maxRevocationListAgeSeconds, rules)
  return why === null ? null : { outcome: 'list-too-old', list: 'revocation-list', why }
}

/** Over before a list could come. */
const isTooShort = (claims: CodeClaims, { revocationsNeededFor }: Policy): boolean =>
  revocationsNeededFor === 'carried' && kindOf(claims) === 'display'

/** A region may take back what its key signed, and what anybody signed about its own residents. */
const hasSay = (list: RevocationList, hom: string, { kid }: IssuerKey): boolean =>
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
