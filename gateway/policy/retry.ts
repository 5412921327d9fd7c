// When a failed attempt may be followed by another: what is safe to send twice, and how much of it we afford.

/** RFC 9110 section 9.2.1 and the QUERY method: asking twice changes nothing. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY'])
/** RFC 9110 section 9.2.2: sending twice has the effect of sending once. */
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, 'PUT', 'DELETE'])

export const isSafe = (method: string): boolean => safeMethods.has(method)

/** A method that promises nothing is repeatable all the same when its sender named it by an Idempotency-Key. */
export const isRepeatable = (method: string, hasIdempotencyKey: boolean): boolean =>
  idempotentMethods.has(method) || hasIdempotencyKey

const slots = 10
const slotMs = 1000

/**
 * A share of the requests of the last ten seconds, and a floor for quiet times (Finagle's RetryBudget).
 * Without it a failing federation is asked for a multiple of the load that it already can't carry.
 */
export class Budget {
  private share: number
  private floorPerSecond: number
  private readonly asked = new Uint32Array(slots)
  private readonly taken = new Uint32Array(slots)
  private askedSum = 0
  private takenSum = 0
  private slot = 0

  /**
   * @param share Extra attempts for each request, 0 to 1 (0.2 is 20 %).
   * @param floorPerSecond Extra attempts a second that are always afforded.
   */
  constructor(share: number, floorPerSecond: number) {
    this.share = share
    this.floorPerSecond = floorPerSecond
  }

  /** Changes what is afforded; what was asked and taken stays counted. */
  use(share: number, floorPerSecond: number): void {
    this.share = share
    this.floorPerSecond = floorPerSecond
  }

  /** Counts a request. `now` in ms, never going back. */
  deposit(now: number): void {
    this.turn(now)
    const at = this.slot % slots
    this.asked[at] = (this.asked[at] ?? 0) + 1
    this.askedSum += 1
  }

  /** Takes one extra attempt if it is afforded. */
  take(now: number): boolean {
    this.turn(now)
    if (this.takenSum + 1 > this.allowance()) return false
    const at = this.slot % slots
    this.taken[at] = (this.taken[at] ?? 0) + 1
    this.takenSum += 1
    return true
  }

  /** Extra attempts afforded in the window that ends now. */
  private allowance(): number {
    return this.share * this.askedSum + this.floorPerSecond * slots
  }

  private turn(now: number): void {
    const slot = Math.floor(now / slotMs)
    if (slot <= this.slot) return
    const steps = Math.min(slot - this.slot, slots)
    for (let i = 1; i <= steps; i++) {
      const at = (slot - steps + i) % slots
      this.askedSum -= this.asked[at] ?? 0
      this.takenSum -= this.taken[at] ?? 0
      this.asked[at] = 0
      this.taken[at] = 0
    }
    this.slot = slot
  }
}
