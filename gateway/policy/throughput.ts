// How many a second went through lately, and so how long it takes until the next few have.

const slotMs = 250
/** Below this many in the time looked at, or from less time, nothing is foretold: a crowd's first places free up late. */
const leastSeen = 5
const leastMs = 100

/**
 * Counts over the current slot and the one before it, of the time that somebody waited: what goes through a queue that
 * stands for a moment at a time says nothing about the moments between.
 */
export class Throughput {
  private slot = 0
  private current = 0
  private previous = 0
  private lastAt = -Infinity
  /** Time in earlier busy stretches, ms. */
  private busyBefore = 0
  private busySince: number | null = null

  /** Somebody waits from now on. */
  begin(now: number): void {
    this.busySince ??= now
  }

  /** Nobody waits any more. */
  end(now: number): void {
    this.busyBefore = this.busyMs(now)
    this.busySince = null
  }

  count(now: number): void {
    this.turn(this.busyMs(now))
    this.current += 1
    this.lastAt = now
  }

  /** @returns Expected time until `count` more are through, ms; 0 where too little is known. */
  timeFor(count: number, now: number): number {
    const busyMs = this.busyMs(now)
    this.turn(busyMs)
    const seen = this.current + this.previous
    const spanMs = busyMs - Math.max(0, this.slot - 1) * slotMs
    if (seen < leastSeen || spanMs < leastMs) return 0
    return (count * spanMs) / seen
  }

  /** Nothing went through lately. */
  isQuiet(now: number): boolean {
    return now - this.lastAt >= 2 * slotMs
  }

  private busyMs(now: number): number {
    return this.busyBefore + (this.busySince === null ? 0 : now - this.busySince)
  }

  private turn(busyMs: number): void {
    const slot = Math.floor(busyMs / slotMs)
    if (slot === this.slot) return
    this.previous = slot === this.slot + 1 ? this.current : 0
    this.current = 0
    this.slot = slot
  }
}
