// How often something elsewhere is asked: a bucket of tokens while it answers, longer and longer pauses while it doesn't.

export interface PaceBounds {
  /** Requests that may follow each other at once, 1 or more. */
  readonly burst: number
  /** Requests a second after that, above 0. */
  readonly ratePerSecond: number
}

/** Token bucket, full at first. */
export class Pace {
  private readonly bounds: PaceBounds
  private tokens: number
  private filledAt: number

  /** @param now Monotonic milliseconds. */
  constructor(bounds: PaceBounds, now: number) {
    this.bounds = bounds
    this.tokens = bounds.burst
    this.filledAt = now
  }

  /**
   * Takes one token, in advance where none is left.
   * @returns How long to wait before the request that it is for, ms.
   */
  take(now: number): number {
    const { burst, ratePerSecond } = this.bounds
    const gained = (Math.max(0, now - this.filledAt) * ratePerSecond) / 1000
    this.tokens = Math.min(burst, this.tokens + gained) - 1
    this.filledAt = now
    return this.tokens >= 0 ? 0 : (-this.tokens * 1000) / ratePerSecond
  }
}

export interface BackoffBounds {
  /** Pause after the first failure, ms. */
  readonly firstMs: number
  /** Pause at the most, ms. */
  readonly mostMs: number
}

/**
 * Pause after failures in a row: doubled with each, the second half of it by chance, so that those who failed together do not
 * come back together.
 * @param failures 1 or more.
 * @param chance 0 to 1.
 * @returns Milliseconds.
 */
export function backoffMs({ firstMs, mostMs }: BackoffBounds, failures: number, chance: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return whole * (0.5 + chance / 2)
}
