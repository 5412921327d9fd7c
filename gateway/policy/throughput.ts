// How many a second went through lately, and so how long it takes until the next few have.

const slotMs = 250
/** Below this many in the time looked at, nothing is foretold. */
const leastSeen = 5

/** Counts over the current slot and the one before it. */
export class Throughput {
  private slot = -1
  private current = 0
  private previous = 0

  count(now: number): void {
    this.turn(now)
    this.current += 1
  }

  /** @returns Expected time until `count` more are through, ms; 0 where too little is known. */
  timeFor(count: number, now: number): number {
    this.turn(now)
    const seen = this.current + this.previous
    if (seen < leastSeen) return 0
    const spanMs = slotMs + (now - this.slot * slotMs)
    return (count * spanMs) / seen
  }

  /** Nothing went through lately. */
  isQuiet(now: number): boolean {
    this.turn(now)
    return this.current + this.previous === 0
  }

  private turn(now: number): void {
    const slot = Math.floor(now / slotMs)
    if (slot === this.slot) return
    this.previous = slot === this.slot + 1 ? this.current : 0
    this.current = 0
    this.slot = slot
  }
}
