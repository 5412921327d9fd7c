// The life of a region's keys as a function of time: published, signing, retired, over. No I/O, no clock.
import { paperLifetimeSeconds } from '../verify/paper-claims.ts'
import type { PublicKey } from '../verify/public-key.ts'

/**
 * `next`: published, so that every verifier knows it before it signs. `retired`: signs no more, and stays published
 * until the last paper that it signed has expired. `over`: of no use to anybody.
 */
export type KeyStage = 'next' | 'signing' | 'retired' | 'over'

export interface StagedKey {
  readonly jwk: PublicKey
  readonly stage: KeyStage
}

/** Verifiers may be this far behind, so a retired key stays so much longer. */
const slackSeconds = 300

/**
 * The newest key whose time has come signs. So a rotation is made by adding a key: no other file is touched, and
 * nothing has to happen at the moment of the change.
 */
export function stagesAt(keys: readonly PublicKey[], now: number): StagedKey[] {
  const oldestFirst = [...keys].sort((a, b) => a.nbf - b.nbf || (a.kid < b.kid ? -1 : 1))
  return oldestFirst.map((jwk, i) => ({ jwk, stage: stageOf(jwk, oldestFirst.slice(i + 1), now) }))
}

function stageOf(jwk: PublicKey, later: readonly PublicKey[], now: number): KeyStage {
  if (now < jwk.nbf) return 'next'
  const successor = later.find(({ nbf }) => nbf <= now)
  if (successor === undefined) return now < jwk.exp ? 'signing' : 'over'
  const lastCodeEnds = Math.min(jwk.exp, successor.nbf + paperLifetimeSeconds.longest)
  return now < lastCodeEnds + slackSeconds ? 'retired' : 'over'
}

/**
 * The keys as verifiers are to know them: each says until when it signs, if another follows it. So a retired key, which
 * stays for its papers, is of no use to forge what is fresh.
 */
export function publishedAt(keys: readonly PublicKey[], now: number): PublicKey[] {
  const oldestFirst = stagesAt(keys, now)
  return oldestFirst.flatMap(({ jwk, stage }, i) => {
    if (stage === 'over') return []
    const successor = oldestFirst[i + 1]?.jwk
    const ends = successor === undefined ? jwk.exp : successor.nbf + slackSeconds
    return [ends < jwk.exp ? { ...jwk, signsUntil: ends } : jwk]
  })
}

export interface Term {
  readonly nbf: number
  readonly exp: number
}

const daySeconds = 86_400

/** @param leadSeconds How long before it signs a key is published: verifiers fetch lists about daily. */
export const termFrom = (now: number, leadSeconds: number, days: number): Term => ({
  nbf: now + leadSeconds,
  exp: now + leadSeconds + days * daySeconds,
})
