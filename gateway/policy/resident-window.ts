// Residents and their requests in the last full window: a crowd is many residents, a refresh storm the same ones again.
import { Cardinality } from './cardinality.ts'

export interface ResidentCount {
  /** Different residents, estimated (standard error 1.6 %), a whole number and never above `requests`. */
  readonly residents: number
  /** Requests of theirs, exact. */
  readonly requests: number
  /** `requests / residents`: near 1 in a crowd, far above it in a refresh storm; 0 where nobody came. */
  readonly perResident: number
}

/**
 * Two windows that take turns. They begin at multiples of their length, so that the windows of several processes
 * that pass the same time are the same ones. Holds 8 KiB.
 */
export class ResidentWindow {
  private readonly windowMs: number
  private current = new Cardinality()
  private currentRequests = 0
  private previous = new Cardinality()
  private previousRequests = 0
  /** The estimate of `previous`, until the windows turn. */
  private told: ResidentCount | null = null
  private endsAt = -Infinity

  /** @param windowMs Length of a window, whole ms, above 0. */
  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /**
   * Counts one request. Allocates nothing.
   * @param key Keyed 32-bit hash of the resident; never a random number in place of one that is not known.
   * @param now Milliseconds, never going back.
   */
  seen(key: number, now: number): void {
    if (now >= this.endsAt) this.turn(now)
    this.current.add(key)
    this.currentRequests += 1
  }

  /** The last window that is over; nobody where none of its time was watched. */
  last(now: number): ResidentCount {
    if (now >= this.endsAt) this.turn(now)
    this.told ??= countOf(this.previous, this.previousRequests)
    return this.told
  }

  /** The same as bytes, for {@link union} in another process. */
  lastRegisters(now: number): { readonly registers: Uint8Array; readonly requests: number } {
    if (now >= this.endsAt) this.turn(now)
    return { registers: this.previous.registers(), requests: this.previousRequests }
  }

  private turn(now: number): void {
    const startsAt = Math.floor(now / this.windowMs) * this.windowMs
    const follows = startsAt === this.endsAt
    const freed = this.previous
    if (follows) this.previous = this.current
    else this.previous.clear()
    this.previousRequests = follows ? this.currentRequests : 0
    if (follows) this.current = freed
    this.current.clear()
    this.currentRequests = 0
    this.told = null
    this.endsAt = startsAt + this.windowMs
  }
}

/**
 * The windows of several processes as one: a resident whose connections went to two of them counts once.
 * @throws {RangeError} for bytes that are no registers.
 */
export function union(
  windows: Iterable<{ readonly registers: Uint8Array; readonly requests: number }>,
): ResidentCount {
  const all = new Cardinality()
  let total = 0
  for (const { registers, requests } of windows) {
    all.mergeRegisters(registers)
    total += requests
  }
  return countOf(all, total)
}

function countOf(cardinality: Cardinality, requests: number): ResidentCount {
  const residents = Math.min(requests, Math.round(cardinality.estimate()))
  return { residents, requests, perResident: residents === 0 ? 0 : requests / residents }
}
