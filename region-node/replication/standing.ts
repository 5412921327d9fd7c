// Whether a copy may stand in for its home now, and how old what it shows is: a function of a few times.
import type { Terms } from './terms.ts'

/** What is known of a copy. Times are this node's, Unix milliseconds. */
export interface CopyFacts {
  readonly region: string
  /** Undefined: home has never answered. */
  readonly terms: Terms | undefined
  /** Whether the first snapshot was read to its end. */
  readonly whole: boolean
  /** It holds all that home had acknowledged by then. */
  readonly currentAtMs: number
  /** Whether home answered when it was last asked. */
  readonly inContact: boolean
  /** When home answered last. */
  readonly heardAtMs: number
  /** Why home's data are not taken, in one line; undefined while all is well. */
  readonly fault: string | undefined
}

export interface Standing {
  /** Null: it may stand in. Else why not. */
  readonly fault: string | null
  /** How far it is behind: what is lost if home does not come back is younger than this. */
  readonly lagMs: number
  readonly freshness: 'replica' | 'stale'
}

/**
 * A home that fell silent writes nothing that we could miss, or nothing that we could know of: so how far a copy is
 * behind is judged while home answers, and held as it was when home did last. After that only its age counts.
 */
export function standingOf(copy: CopyFacts, nowMs: number): Standing {
  const { terms, whole, currentAtMs, inContact, heardAtMs } = copy
  const ageMs = Math.max(0, nowMs - currentAtMs)
  const lagMs = Math.max(0, (inContact ? nowMs : heardAtMs) - currentAtMs)
  if (terms === undefined || !whole) {
    const why = copy.fault === undefined ? '' : `: ${copy.fault}`
    return { fault: `the first copy of ${copy.region} is not whole yet${why}`, lagMs, freshness: 'stale' }
  }
  const freshness = ageMs > terms.rpoSeconds * 1_000 ? 'stale' : 'replica'
  return { fault: faultOf(copy.region, terms, { nowMs, ageMs, lagMs }), lagMs, freshness }
}

interface Ages {
  readonly nowMs: number
  readonly ageMs: number
  readonly lagMs: number
}

function faultOf(region: string, terms: Terms, { nowMs, ageMs, lagMs }: Ages): string | null {
  if (nowMs < terms.fromMs) return `agreement ${terms.id} has not begun`
  if (nowMs >= terms.untilMs) return `agreement ${terms.id} has ended`
  const rpoMs = terms.rpoSeconds * 1_000
  if (lagMs > rpoMs) return `the copy of ${region} is ${lagMs} ms behind, agreed are ${rpoMs}`
  const mostMs = terms.maxAgeSeconds * 1_000
  return ageMs > mostMs ? `the copy of ${region} is ${ageMs} ms old, agreed are ${mostMs}` : null
}
