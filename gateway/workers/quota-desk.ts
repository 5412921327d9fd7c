// The primary's side of the donors' quotas: hears what each worker wants, divides each pledge, remembers who holds what.
import type { Rates } from '../model/quota-shares.ts'
import type { Pledges } from '../policy/pledges.ts'
import { divide, divideWhole } from '../policy/quota.ts'
import type { QuotaReport } from './shared-quotas.ts'

/** A worker that has not reported for so long keeps its share, and the share is not given to others, ms. */
const silentAfterMs = 3000

interface Claim {
  /** What the worker may take: the last that it was sent. */
  shares: Map<string, number>
  demands: Rates
  /** What it said that it may be taking. */
  inUse: Rates
  /** What it was told since, which it may have taken over or not. */
  pending: readonly { readonly number: number; readonly shares: Rates }[]
  /** -Infinity until it reports. */
  reportedAt: number
  alive: boolean
}

const unheard: Pick<Claim, 'demands' | 'inUse' | 'pending' | 'reportedAt'> = {
  demands: {},
  inUse: {},
  pending: [],
  reportedAt: -Infinity,
}

/** Places are numbered from 1. A place whose worker ended keeps a fair minimum for the one that follows. */
export class QuotaDesk {
  private readonly claims: Claim[]
  private pledges: Pledges = {}
  private turn = 0
  private told = 0

  constructor(places: number, pledges: Pledges) {
    this.claims = Array.from({ length: places }, () => ({
      ...unheard,
      shares: new Map(),
      alive: false,
    }))
    this.usePledges(pledges)
  }

  /** Shares follow a pledge that changed in proportion, so that their sum is right before anybody reports. */
  usePledges(pledges: Pledges): void {
    for (const [donor, pledge] of Object.entries(pledges)) {
      const old = this.pledges[donor]?.amount ?? 0
      const parts = this.claims.map(({ shares }) =>
        old > 0 ? (shares.get(donor) ?? 0) / old : 1 / this.claims.length,
      )
      const inProportion = parts.map((part) => pledge.amount * part)
      const next = pledge.whole ? divideWhole(pledge.amount, inProportion) : inProportion
      for (const [i, { shares }] of this.claims.entries()) shares.set(donor, next[i] ?? 0)
    }
    for (const { shares } of this.claims) {
      for (const donor of shares.keys()) if (pledges[donor] === undefined) shares.delete(donor)
    }
    this.pledges = pledges
  }

  began(place: number): void {
    this.put(place, { ...unheard, alive: true })
  }

  ended(place: number): void {
    this.put(place, { ...unheard, alive: false })
  }

  /** @param now ms, never going back. */
  report(place: number, { demands, inUse, told }: QuotaReport, now: number): void {
    const pending = this.claims[place - 1]?.pending.filter(({ number }) => number > told) ?? []
    this.put(place, { demands, inUse, pending, reportedAt: now })
  }

  /** Shares that are sent to the worker of a place, with the number by which it will say that it has them. */
  tell(place: number): { readonly number: number; readonly shares: Rates } {
    this.told += 1
    const message = { number: this.told, shares: this.sharesOf(place) }
    const claim = this.claims[place - 1]
    if (claim !== undefined) claim.pending = [...claim.pending, message]
    return message
  }

  /** What all workers want. */
  get demands(): Rates {
    return this.sums(({ demands }, name) => demands[name] ?? 0)
  }

  /** What all workers may be taking, whether what they were told last has arrived or not. */
  get inUse(): Rates {
    return this.sums(({ inUse, pending }, name) =>
      Math.max(inUse[name] ?? 0, ...pending.map(({ shares }) => shares[name] ?? 0)),
    )
  }

  sharesOf(place: number): Rates {
    return Object.fromEntries(this.claims[place - 1]?.shares ?? [])
  }

  /** Divides every pledge anew. Who is alive and silent holds what it was given last. */
  divide(now: number): void {
    this.turn += 1
    const heard = this.claims.filter(({ alive, reportedAt }) => !alive || now - reportedAt <= silentAfterMs)
    const silent = this.claims.filter((claim) => !heard.includes(claim))
    for (const [donor, pledge] of Object.entries(this.pledges)) {
      const held = silent.reduce((sum, { shares }) => sum + (shares.get(donor) ?? 0), 0)
      const demands = heard.map((claim) => claim.demands[donor] ?? 0)
      const rest = pledge.amount - held
      const parts = pledge.whole ? divideWhole(rest, demands, this.turn) : divide(rest, demands)
      for (const [i, { shares }] of heard.entries()) shares.set(donor, parts[i] ?? 0)
    }
  }

  private sums(of: (claim: Claim, name: string) => number): Rates {
    const alive = this.claims.filter((claim) => claim.alive)
    const sumOf = (name: string): number => alive.reduce((sum, claim) => sum + of(claim, name), 0)
    return Object.fromEntries(Object.keys(this.pledges).map((name) => [name, sumOf(name)]))
  }

  private put(place: number, change: Partial<Claim>): void {
    const claim = this.claims[place - 1]
    if (claim !== undefined) Object.assign(claim, change)
  }
}
