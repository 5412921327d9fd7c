// The primary's side of the donors' quotas: hears what each worker wants, divides each pledge, remembers who holds what.
import { divide } from '../policy/quota.ts'

export type Rates = Readonly<Record<string, number>>

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
  private pledges: Rates = {}

  constructor(places: number, pledges: Rates) {
    this.claims = Array.from({ length: places }, () => ({
      shares: new Map(),
      demands: {},
      reportedAt: -Infinity,
      alive: false,
    }))
    this.usePledges(pledges)
  }

  /** Shares follow a pledge that changed in proportion, so that their sum is right before anybody reports. */
  usePledges(pledges: Rates): void {
    for (const { shares } of this.claims) {
      const before = new Map(shares)
      shares.clear()
      for (const [donor, pledge] of Object.entries(pledges)) {
        const old = this.pledges[donor] ?? 0
        const part = old > 0 ? (before.get(donor) ?? 0) / old : 1 / this.claims.length
        shares.set(donor, pledge * part)
      }
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
    const heard = this.claims.filter(({ alive, reportedAt }) => !alive || now - reportedAt <= silentAfterMs)
    const silent = this.claims.filter((claim) => !heard.includes(claim))
    for (const [donor, pledge] of Object.entries(this.pledges)) {
      const held = silent.reduce((sum, { shares }) => sum + (shares.get(donor) ?? 0), 0)
      const parts = divide(
        pledge - held,
        heard.map(({ demands }) => demands[donor] ?? 0),
      )
      for (const [i, { shares }] of heard.entries()) shares.set(donor, parts[i] ?? 0)
    }
  }

  private put(place: number, change: Partial<Claim>): void {
    const claim = this.claims[place - 1]
    if (claim !== undefined) Object.assign(claim, change)
  }
}
