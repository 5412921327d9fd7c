// Which changes of the level that serves a home are worth a line: the first at once, a swinging one now and then.

export interface Shift {
  readonly from: string | null
  readonly to: string
  /** Changes since the last line, this one included. */
  readonly changes: number
}

/** After a line, the next of the same home waits so long; sooner where it is about everything or nothing, ms. */
const quietMs = 5000
const quietForNoneMs = 2000

/** For one home. Two levels that serve about as much change places many times a second, and say nothing by it. */
export class ShiftReport {
  private told: string | null = null
  private seen: string | null = null
  private changes = 0
  private toldAt = -Infinity
  private readonly expected: string
  private readonly none: string

  /** @param expected Place that goes without saying at the start. @param none Name for no place at all. */
  constructor(expected: string, none: string) {
    this.expected = expected
    this.none = none
  }

  /** @param now Monotonic ms. @returns What to say, if anything; `from` and `to` are the same where it swings. */
  see(place: string, now: number): Shift | null {
    if (place !== this.seen) {
      if (this.seen !== null || place !== this.expected) this.changes += 1
      this.seen = place
    }
    const quiet = place === this.none || this.told === this.none ? quietForNoneMs : quietMs
    if (this.changes === 0 || now - this.toldAt < quiet) return null
    const shift = { from: this.told, to: place, changes: this.changes }
    this.told = place
    this.toldAt = now
    this.changes = 0
    return shift
  }
}
