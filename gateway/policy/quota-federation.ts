// How gateways share donors' pledges: what one of them may act upon at any moment, and what it writes next.
import type { Rates } from '../model/quota-shares.ts'
import type { Pledge, Pledges } from './pledges.ts'
import { divide, divideWhole, minimumPart } from './quota.ts'
import {
  beatMs,
  emptyLedger,
  type LeaseTerms,
  type LedgerMember,
  type OtherMember,
  outwaits,
  type QuotaClaim,
  type QuotaLedger,
  Renewals,
} from './quota-ledger.ts'

/** A share is not lowered for less than this part of an equal share: demand is never quite the same twice. */
const steadyPart = 0.05
/** A demand is told again when it differs by this part. */
const tellingPart = 0.1
/** Where there are fewer than want one, they take turns of so many changes by each. */
const writesInTurn = 10

/** What sums of many shares are wrong by. */
const rounding = 1e-6

/** What is acted upon of a pledge. */
interface Held {
  readonly amount: number
  readonly floor: number
  /**
   * The pledge that it is a part of: of a smaller one it is a smaller part. The largest that was heard of since, for
   * others may have taken what was added.
   */
  readonly of: number
}

export interface Moment {
  readonly pledges: Pledges
  readonly demands: Rates
  /** What this gateway may still be taking, whatever it was told since. */
  readonly inUse: Rates
  /** Monotonic ms. */
  readonly now: number
}

/**
 * One gateway among those that share a ledger. What keeps the sum of all shares within a pledge, whoever is cut off,
 * dies or is late:
 * - It acts upon less before it writes that it holds less, and upon more after it has written that it holds more. So the
 *   ledger never tells less than is acted upon.
 * - It takes no more than what the ledger shows nobody to hold, and the ledger is changed by compare-and-set.
 * - What others hold is touched only when their lease has ended by a clock that started after theirs.
 */
export class QuotaMember {
  readonly id: string
  private readonly life: string
  private readonly terms: LeaseTerms
  private readonly renewals = new Renewals()
  private acting = new Map<string, Held>()
  private pending: ReadonlyMap<string, Held> = new Map()
  private beat = 0
  private renewedAt = -Infinity
  private lastWrites = 0
  private growsFrom = -Infinity
  private hasWritten = false
  private hasDouble = false

  /** @param life Of this process alone. */
  constructor(id: string, life: string, terms: LeaseTerms) {
    this.id = id
    this.life = life
    this.terms = terms
  }

  /** Another process goes by the same name: this one must take another, and no share. */
  get isDoubled(): boolean {
    return this.hasDouble
  }

  /** When its lease ends unless it is renewed, monotonic ms; `-Infinity` before the first. */
  get leaseEndsAt(): number {
    return this.renewedAt + this.terms.leaseMs
  }

  /** When it gives up its floors too. */
  get forgottenAt(): number {
    return this.renewedAt + this.terms.forgetMs
  }

  /** What it may act upon of a pledge, in its unit. */
  share(name: string, pledge: Pledge, now: number): number {
    if (now < this.leaseEndsAt) return this.part(name, pledge, ({ amount }) => amount)
    return now < this.forgottenAt ? this.floor(name, pledge) : 0
  }

  /** What it keeps of a pledge when its lease has ended. */
  floor(name: string, pledge: Pledge): number {
    return this.part(name, pledge, ({ floor }) => floor)
  }

  /** To be told of every change of pledges, before it is acted upon. */
  pledged(pledges: Pledges): void {
    for (const [name, held] of this.acting) {
      const amount = pledges[name]?.amount ?? 0
      if (amount > held.of) this.acting.set(name, { ...held, of: amount })
    }
  }

  /**
   * Takes over what is to be given up, at once, and says what is to be written.
   * @param read `null` where there is no ledger.
   * @returns The next ledger; `null` where nothing is to be written.
   */
  plan(read: QuotaLedger | null, moment: Moment): QuotaLedger | null {
    const { now, pledges } = moment
    const ledger = read ?? emptyLedger
    this.look(ledger, now)
    if (this.hasDouble) return null
    const own = ledger.members[this.id]
    const others = this.renewals.others(ledger, this.id, this.terms, now)
    const next = new Map<string, Held>()
    const claims: Record<string, QuotaClaim> = {}
    for (const [name, pledge] of Object.entries(pledges)) {
      const has = this.share(name, pledge, now)
      const amount = this.next(name, pledge, has, others, ledger, moment)
      const fair = (pledge.amount / (others.length + 1)) * minimumPart
      const floor = Math.min(amount, pledge.whole ? Math.floor(fair) : roundDown(fair))
      next.set(name, { amount, floor, of: pledge.amount })
      claims[name] = claimOf(amount, floor, moment, name)
      const before = this.acting.get(name)
      this.acting.set(name, {
        amount: Math.min(has, amount),
        floor: Math.min(before?.floor ?? 0, floor, has),
        of: pledge.amount,
      })
    }
    for (const name of this.acting.keys()) if (pledges[name] === undefined) this.acting.delete(name)
    this.pending = next
    const hasAny = Object.keys(claims).length > 0
    if (own === undefined && !hasAny) return null
    const othersAfter = others.map(({ id, member }) => [id, member] as const)
    const changed = othersAfter.some(([id, member]) => member !== ledger.members[id])
    const left = Object.keys(ledger.members).length - othersAfter.length - (own === undefined ? 0 : 1)
    if (hasAny && !changed && left === 0 && !this.isDue(own, claims, others.length, now)) return null
    const { leaseMs, forgetMs } = this.terms
    // Never the same twice: whether the last one arrived may not be known.
    this.beat += 1
    const self: LedgerMember = { life: this.life, beat: this.beat, leaseMs, forgetMs, claims }
    return {
      writes: ledger.writes + 1,
      members: Object.fromEntries([...othersAfter, ...(hasAny ? [[this.id, self] as const] : [])]),
    }
  }

  /** What was planned last stands in the ledger. @param sentAt Monotonic ms, before it was sent. */
  written({ writes }: QuotaLedger, sentAt: number): void {
    this.acting = new Map(this.pending)
    this.hasWritten = true
    this.renewedAt = sentAt
    this.lastWrites = writes
  }

  /** It stood still for so long while its clock did too, as a machine that is suspended does, ms. */
  slept(ms: number): void {
    this.renewedAt -= ms
  }

  /** The ledger without this gateway, which takes nothing from now on; `null` where it is not in it. */
  leave(read: QuotaLedger | null): QuotaLedger | null {
    this.acting.clear()
    this.renewedAt = -Infinity
    if (read?.members[this.id]?.life !== this.life) return null
    const { [this.id]: _, ...members } = read.members
    return { writes: read.writes + 1, members }
  }

  /** Learns who lives, and whether the ledger is the one that it was. */
  private look(ledger: QuotaLedger, now: number): void {
    const wentBack = ledger.writes < this.lastWrites
    // Restored or begun anew: whoever is cut off may hold what it does not tell, until its lease has ended.
    if (wentBack) {
      const leases = Object.values(ledger.members).map(({ leaseMs }) => leaseMs)
      this.growsFrom = now + outwaits(Math.max(this.terms.leaseMs, ...leases))
    }
    this.lastWrites = ledger.writes
    const own = ledger.members[this.id]
    // A life of before this one ended where this one has the name; one beside it is a copy of this gateway's folder.
    if (!wentBack && this.hasWritten && own !== undefined && own.life !== this.life) {
      this.hasDouble = true
      this.acting.clear()
    }
    this.renewals.observe(ledger, now)
  }

  private next(
    name: string,
    pledge: Pledge,
    has: number,
    others: readonly OtherMember[],
    ledger: QuotaLedger,
    { demands, now }: Moment,
  ): number {
    const heldBy = ({ member }: OtherMember): number => member.claims[name]?.held ?? 0
    const elsewhere = sum(others.map(heldBy))
    const frozen = sum(others.filter(({ isSilent }) => isSilent).map(heldBy))
    const wants = [
      { id: this.id, demand: demands[name] ?? 0 },
      ...others
        .filter(({ isSilent }) => !isSilent)
        .map(({ id, member }) => ({ id, demand: member.claims[name]?.demand ?? 0 })),
    ].sort((a, b) => (a.id < b.id ? -1 : 1))
    // Who is refused asks for twice what it has; more than there is would count against those who ask for less.
    const capped = wants.map(({ demand }) => Math.min(demand, pledge.amount))
    const turn = Math.floor(ledger.writes / (writesInTurn * wants.length))
    const rest = pledge.amount - frozen
    const parts = pledge.whole ? divideWhole(rest, capped, turn) : divide(rest, capped)
    const target = parts[wants.findIndex(({ id }) => id === this.id)] ?? 0
    const room = Math.max(0, pledge.amount - elsewhere)
    const round = pledge.whole ? Math.floor : roundDown
    if (target < has) {
      const isTooMuch = has > room + rounding
      const isWorthIt = has - target > (pledge.amount / wants.length) * steadyPart
      return isTooMuch || isWorthIt ? round(target) : has
    }
    if (now < this.growsFrom) return has
    return Math.max(has, round(Math.min(target, room)))
  }

  private isDue(
    own: LedgerMember | undefined,
    claims: Readonly<Record<string, QuotaClaim>>,
    others: number,
    now: number,
  ): boolean {
    if (own?.life !== this.life) return true
    const everyMs = others === 0 ? this.terms.leaseMs / 3 : beatMs(this.terms)
    if (now - this.renewedAt >= everyMs) return true
    if (Object.keys(own.claims).some((name) => claims[name] === undefined)) return true
    return Object.entries(claims).some(([name, claim]) => {
      const told = own.claims[name]
      if (told === undefined || told.held !== claim.held || told.floor !== claim.floor) return true
      // Nobody is there who would read it.
      return others > 0 && differs(told.demand, claim.demand)
    })
  }

  private part(name: string, pledge: Pledge, of: (held: Held) => number): number {
    const held = this.acting.get(name)
    if (held === undefined) return 0
    const part = of(held) * Math.min(1, pledge.amount / held.of)
    return pledge.whole ? Math.floor(part) : part
  }
}

const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0)

/** So that no sum of many is above the whole by its last digit. */
const roundDown = (rate: number): number => Math.floor(rate * 1000) / 1000

const differs = (told: number, now: number): boolean =>
  Math.abs(told - now) > Math.max(told, now) * tellingPart + 0.5

const claimOf = (amount: number, floor: number, { inUse, demands }: Moment, name: string): QuotaClaim => ({
  held: Math.max(amount, inUse[name] ?? 0),
  floor,
  demand: Math.round((demands[name] ?? 0) * 10) / 10,
})
