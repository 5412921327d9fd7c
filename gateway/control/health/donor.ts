// What one region lends at this moment to the residents of others, against what it agreed to.
import type { PledgeUnit } from '../../model/quota-shares.ts'
import type { Lending } from '../../model/region.ts'
import { RateQuota } from '../../policy/rate-quota.ts'

type Parts = Readonly<Partial<Record<PledgeUnit, number>>>

export class Donor {
  /** Requests of others' residents open to its nodes now. */
  lentNow = 0
  private terms: Lending
  private readonly rate: RateQuota
  /** This process's part, where several share what is lent. */
  private given: Parts = {}
  private part: Readonly<Record<PledgeUnit, number>>
  private lentLately = 0
  private mostLately = 0
  private readonly refusedLately: Record<PledgeUnit, boolean> = { rps: false, open: false }

  constructor(terms: Lending) {
    this.terms = terms
    this.rate = new RateQuota(terms.limitRps)
    this.part = allOf(terms)
  }

  get lending(): Lending {
    return this.terms
  }

  /** What of it this process may lend. */
  get ownPart(): Readonly<Record<PledgeUnit, number>> {
    return this.part
  }

  /** Takes over new terms, within the parts that this process was given last. */
  use(terms: Lending): void {
    this.terms = terms
    this.useParts(this.given)
  }

  /** @param parts What of it this process may lend; a unit that is missing has no bound of its own here. */
  useParts(parts: Parts): void {
    const all = allOf(this.terms)
    this.given = parts
    this.part = {
      rps: Math.min(all.rps, parts.rps ?? all.rps),
      open: Math.min(all.open, parts.open ?? all.open),
    }
    this.rate.use(this.part.rps)
  }

  /** Whether a bound is met now, for whoever only looks: nothing is wanted. */
  looksSpent(now: number): boolean {
    return this.hasNoPlace || this.hasNoRate(now)
  }

  isSpent(now: number): boolean {
    const noPlace = this.hasNoPlace
    const noRate = this.hasNoRate(now)
    if (noPlace) this.refusedLately.open = true
    if (noRate) this.refusedLately.rps = true
    return noPlace || noRate
  }

  /**
   * What was wanted since it was last asked, in each unit that is bounded. A request that is refused is judged several
   * times, so it is not counted: whoever met a bound wants twice what it had.
   */
  takeDemand(): Parts {
    const { limitRps, limitConcurrent } = this.terms
    const wanted = (unit: PledgeUnit, had: number): number => (this.refusedLately[unit] ? 2 * had + 1 : had)
    const demand = {
      ...(limitRps !== Infinity && { rps: wanted('rps', this.lentLately) }),
      ...(limitConcurrent !== Infinity && { open: wanted('open', this.mostLately) }),
    }
    this.lentLately = 0
    this.mostLately = this.lentNow
    this.refusedLately.rps = false
    this.refusedLately.open = false
    return demand
  }

  lent(now: number): void {
    this.lentNow += 1
    this.lentLately += 1
    this.mostLately = Math.max(this.mostLately, this.lentNow)
    this.rate.take(now)
  }

  gaveBack(): void {
    this.lentNow -= 1
  }

  private get hasNoPlace(): boolean {
    return this.lentNow >= this.part.open
  }

  private hasNoRate(now: number): boolean {
    return this.part.rps !== Infinity && this.rate.isSpent(now)
  }
}

const allOf = ({ limitRps, limitConcurrent }: Lending): Record<PledgeUnit, number> => ({
  rps: limitRps,
  open: limitConcurrent,
})
