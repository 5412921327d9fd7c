// Signs a region's codes (制码): never beyond what its key or an agreement with the home region allows.
import { base64url } from 'jose'
import { carriedLifetimeSeconds, codeClaimsSchema, displayLifetimeSeconds } from '../verify/claims.ts'
import type { CodeClaims } from '../verify/claims.ts'
import { secondsOf } from '../verify/fields.ts'
import { paperClaimsSchema, paperLifetimeSeconds } from '../verify/paper-claims.ts'
import type { PaperClaims } from '../verify/paper-claims.ts'
import type { Delegation } from '../verify/trust-list.ts'
import type { KeyRing, Signer } from './key-ring.ts'

/** What the store knows of the resident; times in seconds. */
export type CodeSubject = Pick<CodeClaims, 'hom' | 'sub' | 'st' | 'seq'> & { readonly tst?: number }

/** Whom a printed code stands for, all of one home, and the name under which it can be revoked. */
export type PaperSubject = Pick<PaperClaims, 'hom' | 'sub' | 'rid'>

export interface SignedCode {
  /** The compact JWS: what goes into the QR code. */
  readonly text: string
  /** Names this one code in a revocation list. */
  readonly rid: string
  readonly iat: number
  /** May be earlier than was asked for: no code outlives its key or agreement. */
  readonly exp: number
}

/** `no-key`: no key's time is now. `undelegated`: no agreement lets this region sign for `hom` now. */
export type RefusalReason = 'no-key' | 'undelegated'

export type Signing = { ok: true; code: SignedCode } | { ok: false; reason: RefusalReason }

type Leave =
  | { ok: true; signer: Signer; iss: string; iat: number; exp: number }
  | { ok: false; reason: RefusalReason }

export interface CodeSignerParts {
  readonly ring: KeyRing
  /** Agreements by which `donor` may sign for `hom`, read for each code: `delegationsOf` the newest trust list. */
  readonly delegations: (donor: string, hom: string) => readonly Delegation[]
}

export interface CodeTime {
  readonly nowMs: number
  readonly lifetimeSeconds?: number
}

export class CodeSigner {
  readonly #parts: CodeSignerParts

  constructor(parts: CodeSignerParts) {
    this.#parts = parts
  }

  /**
   * The code that is shown and fetched anew all the time.
   *
   * @param time.lifetimeSeconds 60 to 300, default 120.
   * @throws {RangeError} when the lifetime is another one.
   * @throws {z.ZodError} when the subject's fields break the format: a fault of the caller.
   */
  async display(subject: CodeSubject, { nowMs, lifetimeSeconds = 120 }: CodeTime): Promise<Signing> {
    const { shortest, longest } = displayLifetimeSeconds
    requireLifetime(lifetimeSeconds, shortest, longest)
    return this.#sign(subject, nowMs, lifetimeSeconds)
  }

  /**
   * The credential that a phone keeps for when nothing answers.
   *
   * @param time.lifetimeSeconds 301 to 86,400, which is the default.
   */
  async carried(subject: CodeSubject, time: CodeTime): Promise<Signing> {
    const { nowMs, lifetimeSeconds = carriedLifetimeSeconds.longest } = time
    requireLifetime(lifetimeSeconds, displayLifetimeSeconds.longest + 1, carriedLifetimeSeconds.longest)
    return this.#sign(subject, nowMs, lifetimeSeconds)
  }

  /**
   * The code that is printed: for 90 days, or until its key or agreement ends.
   *
   * @throws {z.ZodError} when the subject's fields break the format: a fault of the caller.
   */
  async paper({ hom, sub, rid }: PaperSubject, nowMs: number): Promise<Signing> {
    const may = this.#mayFrom(hom, nowMs, paperLifetimeSeconds.longest)
    if (!may.ok) return may
    const { signer, iss, iat, exp } = may
    const claims = paperClaimsSchema.parse({ v: 1, iss, hom, sub, iat, exp, rid })
    return { ok: true, code: { text: await signer.sign('chiyuan-paper', claims), rid, iat, exp } }
  }

  async #sign(subject: CodeSubject, nowMs: number, lifetimeSeconds: number): Promise<Signing> {
    const may = this.#mayFrom(subject.hom, nowMs, lifetimeSeconds)
    if (!may.ok) return may
    const { signer, iss, iat, exp } = may
    return { ok: true, code: await signCode(signer, { ...subject, iss, iat, exp }) }
  }

  /** By which key, and from when until when, this region may speak for residents of `hom`. */
  #mayFrom(hom: string, nowMs: number, lifetimeSeconds: number): Leave {
    const { ring } = this.#parts
    const signer = ring.signerAt(nowMs)
    if (signer === null) return { ok: false, reason: 'no-key' }
    const iat = secondsOf(nowMs)
    const until = this.#authorityEnds(hom, iat)
    if (until === null) return { ok: false, reason: 'undelegated' }
    const exp = Math.min(iat + lifetimeSeconds, signer.jwk.exp, until)
    return { ok: true, signer, iss: ring.region, iat, exp }
  }

  /** When this region's say over residents of `hom` ends, seconds; `null` where it has none. */
  #authorityEnds(hom: string, now: number): number | null {
    const { ring, delegations } = this.#parts
    if (hom === ring.region) return Infinity
    const live = delegations(ring.region, hom).filter(({ from, until }) => from <= now && now < until)
    return live.length === 0 ? null : Math.max(...live.map(({ until }) => until))
  }
}

async function signCode(signer: Signer, claims: Omit<CodeClaims, 'v' | 'rid'>): Promise<SignedCode> {
  const rid = base64url.encode(crypto.getRandomValues(new Uint8Array(9)))
  const checked = codeClaimsSchema.parse({ v: 1, ...claims, rid })
  return { text: await signer.sign('chiyuan-code', checked), rid, iat: checked.iat, exp: checked.exp }
}

function requireLifetime(seconds: number, shortest: number, longest: number): void {
  if (Number.isInteger(seconds) && seconds >= shortest && seconds <= longest) return
  throw new RangeError(
    `a lifetime of ${seconds} s is not allowed; give whole seconds from ${shortest} to ${longest}`,
  )
}
