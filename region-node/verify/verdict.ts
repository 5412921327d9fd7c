// What a verifier can conclude, and by what rules it does.
import type { CodeClaims, CodeKind } from './claims.ts'
import type { PaperClaims } from './paper-claims.ts'

export interface Policy {
  /** How far apart the clocks of issuer and verifier may be, seconds. */
  readonly clockSkewSeconds: number
  /** Above this age, in seconds, a trust list is not gone by. */
  readonly maxTrustListAgeSeconds: number
  readonly maxRevocationListAgeSeconds: number
  /** Which codes are refused without a revocation list of their key: a display code is over before one could come. Paper
   * is carried too. */
  readonly revocationsNeededFor: 'carried' | 'every-code'
}

export const defaultPolicy: Policy = {
  clockSkewSeconds: 30,
  maxTrustListAgeSeconds: 48 * 3600,
  maxRevocationListAgeSeconds: 48 * 3600,
  revocationsNeededFor: 'carried',
}

/** Seconds since each list was issued, for whoever looks at the verdict; `null` where there is none. */
export interface ListAges {
  readonly trustSeconds: number | null
  /** Of the list of the key that signed the code. */
  readonly revocationsSeconds: number | null
}

export type MalformedReason =
  /** More characters than fit in one QR code. */
  | 'too-long'
  /** Not a compact JWS. */
  | 'form'
  /** Another algorithm or type, or a key brought along. */
  | 'header'
  /** Genuine, but its content breaks the rules. */
  | 'claims'

export type UnknownIssuerReason =
  /** Its key is not in the trust list. */
  | 'no-such-key'
  /** It names another region than its key's. */
  | 'not-its-region'
  /** Issued before its key's time or after its successor's began, or good beyond it. */
  | 'beyond-key'

export type ListProblem =
  | 'missing'
  /** Older than the policy allows, or its successor is due. */
  | 'over-age'
  /** Issued after now: the verifier's clock is behind, and no code can be judged by it. */
  | 'ahead-of-clock'

/** Only `valid` tells a colour: whoever reads one has a code that may be believed. */
export type Verdict = { readonly lists: ListAges } & (
  | {
      readonly outcome: 'valid'
      readonly kind: CodeKind
      readonly delegated: boolean
      readonly claims: CodeClaims
    }
  /** A printed code, genuine and in time: it says whom it stands for, and nothing of their colour. */
  | { readonly outcome: 'genuine-paper'; readonly delegated: boolean; readonly claims: PaperClaims }
  | { readonly outcome: 'expired'; readonly expiredAt: number }
  | { readonly outcome: 'not-yet-valid'; readonly validFrom: number }
  | { readonly outcome: 'tampered' }
  | { readonly outcome: 'revoked' }
  | { readonly outcome: 'unknown-issuer'; readonly reason: UnknownIssuerReason }
  /** Signed by `donor` for residents of `hom` without an agreement that covers its whole time. */
  | { readonly outcome: 'undelegated'; readonly donor: string; readonly hom: string }
  | {
      readonly outcome: 'list-too-old'
      readonly list: 'trust-list' | 'revocation-list'
      readonly why: ListProblem
    }
  | { readonly outcome: 'malformed'; readonly reason: MalformedReason }
)

export type Outcome = Verdict['outcome']
