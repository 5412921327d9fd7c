// The one record by which gateways share donors' pledges: who holds how much.

/** One gateway's part of one pledge, in the pledge's unit. */
export interface QuotaClaim {
  /** The most that it may act upon while its lease lasts. */
  readonly held: number
  /** What it keeps when its lease has ended; no more than `held`. */
  readonly floor: number
  /** What its residents want. */
  readonly demand: number
}

export interface LedgerMember {
  /** Differs for every process that was ever this gateway. */
  readonly life: string
  /** Counts up with every renewal of its lease. */
  readonly beat: number
  /** Its own terms: see {@link LeaseTerms}. */
  readonly leaseMs: number
  readonly forgetMs: number
  /** By the pledge's name. */
  readonly claims: Readonly<Record<string, QuotaClaim>>
}

/**
 * All gateways' parts of all pledges. It is only ever replaced whole, by compare-and-set, so whoever writes has seen
 * what everybody holds: their sum is checked where it is changed.
 */
export interface QuotaLedger {
  /** Counts up with every change. */
  readonly writes: number
  /** By the gateways' names among themselves. */
  readonly members: Readonly<Record<string, LedgerMember>>
}

export const emptyLedger: QuotaLedger = { writes: 0, members: {} }

/** What a gateway that is cut off knows of time is its own clock, and so is what the others know: none asks another's. */
export interface LeaseTerms {
  /** So long after it began to write its last renewal a gateway keeps its share; then its floors. */
  readonly leaseMs: number
  /** So long after it a gateway keeps its floors; then nothing. */
  readonly forgetMs: number
  /** Pause between two looks at the ledger. */
  readonly roundMs: number
}

/** How much faster one gateway's clock may run than another's: far more than any that still keeps time. */
const clockDrift = 0.05
/** What a gateway may be late in acting upon the end of its lease, ms. */
const lateAtMost = 2000

/**
 * How long others wait for what a gateway gives up by itself after `ms`. They count from when they first saw the
 * renewal, which is later than it counts from, so wall clocks need not agree.
 */
export const outwaits = (ms: number): number => ms * (1 + clockDrift) + lateAtMost

/** A gateway that others are beside says so often that it lives. */
export const beatMs = ({ leaseMs, roundMs }: LeaseTerms): number => Math.min(3 * roundMs, leaseMs / 3)

/** A gateway that said nothing for so long keeps what it holds, and takes no part in dividing. */
export const silentAfterMs = (terms: LeaseTerms): number => beatMs(terms) + 5 * terms.roundMs

/** What others hold when this moment is considered. */
export interface OtherMember {
  readonly id: string
  readonly member: LedgerMember
  readonly isSilent: boolean
}

/** When each other gateway was last seen to have renewed its lease. */
export class Renewals {
  private readonly seen = new Map<
    string,
    { readonly life: string; readonly beat: number; readonly at: number }
  >()

  /** To be told of every reading. @param now Monotonic ms. */
  observe({ members }: QuotaLedger, now: number): void {
    for (const id of this.seen.keys()) if (members[id] === undefined) this.seen.delete(id)
    for (const [id, { life, beat }] of Object.entries(members)) {
      const known = this.seen.get(id)
      if (known?.life !== life || known.beat !== beat) this.seen.set(id, { life, beat, at: now })
    }
  }

  /** Everybody but `self`; who has surely given up its share holds its floors, who has surely given up those is left out. */
  others({ members }: QuotaLedger, self: string, terms: LeaseTerms, now: number): OtherMember[] {
    return Object.entries(members)
      .filter(([id]) => id !== self)
      .map(([id, member]) => ({ id, member, silentMs: now - (this.seen.get(id)?.at ?? now) }))
      .filter(({ member, silentMs }) => silentMs <= outwaits(member.forgetMs))
      .map(({ id, member, silentMs }) => ({
        id,
        member: silentMs > outwaits(member.leaseMs) ? lapsed(member) : member,
        isSilent: silentMs > silentAfterMs(terms),
      }))
  }
}

/** @returns The same object where nothing is above its floor. */
function lapsed(member: LedgerMember): LedgerMember {
  if (Object.values(member.claims).every(({ held, floor }) => held <= floor)) return member
  const claims = Object.entries(member.claims).map(([pledge, { floor }]) => [
    pledge,
    { held: floor, floor, demand: 0 },
  ])
  return { ...member, claims: Object.fromEntries(claims) }
}
