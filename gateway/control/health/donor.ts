// What one region lends at this moment to the residents of others, against what it agreed to.
import type { Lending } from '../../model/region.ts'
import { RateQuota } from '../../policy/rate-quota.ts'

export class Donor {
  /** Requests of others' residents open to its nodes now. */
  lentNow = 0
  private terms: Lending
  private readonly rate: RateQuota
  private share = 1
  private lentLately = 0
  private refusedLately = false

  constructor(terms: Lending) {
    this.terms = terms
    this.rate = new RateQuota(terms.limitRps)
  }

  get lending(): Lending {
    return this.terms
  }

  use(terms: Lending): void {
    this.terms = terms
    // No share of no bound is still no bound, and not NaN, which no later rate would mend.
    this.rate.use(terms.limitRps === Infinity ? Infinity : terms.limitRps * this.share)
  }

  /** @param share This process's part of what the region lends, 0 to 1, where several share it. */
  useShare(share: number): void {
    this.share = share
    this.use(this.terms)
  }

  /** What it lends in all, in requests a second, or open at once where it names no rate; `Infinity` without bound. */
  get pledge(): number {
    const { limitConcurrent, limitRps } = this.terms
    return limitRps === Infinity ? limitConcurrent : limitRps
  }

  isSpent(now: number): boolean {
    const { limitConcurrent, limitRps } = this.terms
    const spent =
      (limitConcurrent !== Infinity && this.lentNow >= Math.floor(limitConcurrent * this.share)) ||
      (limitRps !== Infinity && this.rate.isSpent(now))
    if (spent) this.refusedLately = true
    return spent
  }

  /**
   * What was wanted since it was last asked, in the unit of {@link pledge} for a second. A request that is refused is
   * judged several times, so it is not counted: whoever met the bound wants twice what it had.
   */
  takeDemand(): number {
    const had = this.terms.limitRps === Infinity ? this.lentNow : this.lentLately
    const wanted = this.refusedLately ? 2 * had + 1 : had
    this.lentLately = 0
    this.refusedLately = false
    return wanted
  }

  lent(now: number): void {
    this.lentNow += 1
    this.lentLately += 1
    this.rate.take(now)
  }

  gaveBack(): void {
    this.lentNow -= 1
  }
}
