// Notices that the machine stood still: a suspended one stops the monotonic clock, and a lease seems to last for ever.

/** Wall clocks are set right by less than this all the time, ms. */
const setRightMs = 500

export class Slept {
  private difference: number

  /** @param now Monotonic ms. @param wallMs Wall-clock ms. */
  constructor(now: number, wallMs: number) {
    this.difference = wallMs - now
  }

  /** How much further the wall clock went than the monotonic one since the last call, ms; 0 where it may be chance. */
  since(now: number, wallMs: number): number {
    const ahead = wallMs - now - this.difference
    this.difference += ahead
    return ahead > setRightMs ? ahead : 0
  }
}
