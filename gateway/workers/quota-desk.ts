// The primary's side of the donors' quotas: hears what each worker wants, divides each pledge, remembers who holds what.
import { divide, divideWhole } from '../policy/quota.ts'

export type Rates = Readonly<Record<string, number>>

export interface Pledge {
  readonly amount: number
  /** It can't be cut: requests open at once, not a rate. */
  readonly whole: boolean
}
export type Pledges = Readonly<Record<string, Pledge>>

/** A worker that has not reported for so long keeps its share, and the share is not given to others, ms. */
const silentAfterMs = 3000

interface Claim {
  /** What the worker may take: the last that it was sent. */
  shares: Map<string, number>
  demands: Rates
  /** -Infinity until it reports. */
  reportedAt: number
  alive: boolean
}

/** Places are numbered from 1. A place whose worker ended keeps a fair minimum for the one that follows. */
export class QuotaDesk {
  private readonly claims: Claim[]
  private pledges: Pledges = {}
  private turn = 0

  constructor(places: number, pledges: Pledges) {
    this.claims = Array.from({ length: places }, () => ({
      shares: new Map(),
      demands: {},
      reportedAt: -Infinity,
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
    this.put(place, { alive: true, demands: {}, reportedAt: -Infinity })
  }

  ended(place: number): void {
    this.put(place, { alive: false, demands: {}, reportedAt: -Infinity })
  }

  /** @param now ms, never going back. */
  report(place: number, demands: Rates, now: number): void {
    this.put(place, { demands, reportedAt: now })
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

  private put(place: number, change: Partial<Claim>): void {
    const claim = this.claims[place - 1]
    if (claim !== undefined) Object.assign(claim, change)
  }
}
