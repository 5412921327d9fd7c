// So many a second and no more: a token bucket whose rate can change while it runs.

/** Requests that may come at once after a pause, as time at the full rate, ms. */
const burstMs = 100

export class RateQuota {
  private rate = 0
  private tokens = 0
  private filledAt = -Infinity

  /** @param perSecond 0 for none; `Infinity` for no bound. */
  constructor(perSecond: number) {
    this.use(perSecond)
  }

  /** Changes the rate; what was taken stays taken. */
  use(perSecond: number): void {
    this.rate = perSecond
    this.tokens = Math.min(this.tokens, this.burst)
  }

  isSpent(now: number): boolean {
    if (this.rate === Infinity) return false
    this.fill(now)
    return this.tokens < 1
  }

  /** Takes one, even where none is left: who takes it has asked {@link isSpent} before, or had to go on anyway. */
  take(now: number): void {
    if (this.rate === Infinity) return
    this.fill(now)
    this.tokens -= 1
  }

  private get burst(): number {
    return this.rate === 0 ? 0 : Math.max(1, (this.rate * burstMs) / 1000)
  }

  private fill(now: number): void {
    if (this.filledAt === -Infinity) this.tokens = this.burst
    else this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) * this.rate) / 1000)
    this.filledAt = now
  }
}
