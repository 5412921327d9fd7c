// How much of a process that serves residents one operator may have for what is dear to answer.
import { LRUCache } from 'lru-cache'

export interface WorkBounds {
  /** Units that are had at once. */
  readonly burst: number
  /** Units that come back a second. */
  readonly perSecond: number
  /** Operators that are remembered. */
  readonly sources: number
}

/** Token bucket by operator. */
export class WorkBudget {
  private readonly bounds: WorkBounds
  /** Time at which all of an operator's units are back, ms. */
  private readonly wholeAt: LRUCache<string, number>

  constructor(bounds: WorkBounds) {
    this.bounds = bounds
    this.wholeAt = new LRUCache({ max: bounds.sources })
  }

  /**
   * Takes `units`, 1 to the burst, or nothing.
   * @param now ms, never going back.
   * @returns 0 where they were had, else the ms until they can be.
   */
  take(source: string, units: number, now: number): number {
    const { burst, perSecond } = this.bounds
    const msPerUnit = 1000 / perSecond
    const wholeAt = Math.max(this.wholeAt.peek(source) ?? 0, now) + units * msPerUnit
    const waitMs = Math.ceil(wholeAt - now - burst * msPerUnit)
    if (waitMs > 0) return waitMs
    this.wholeAt.set(source, wholeAt)
    return 0
  }
}
