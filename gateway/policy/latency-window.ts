// A node's recent latencies as a small histogram, for its p99 and its peak-EWMA.

const bucketsPerDoubling = 8
const bucketCount = 160
const refreshAfter = 32
/** The lowest bucket's upper edge, ms. */
const lowestMs = 0.05

/**
 * Quantiles over the last one to two windows, within 9 % of the true value (eight buckets to a doubling).
 * Two windows take turns, so that what is old is forgotten without a sort or a copy.
 */
export class LatencyWindow {
  private readonly windowMs: number
  private current = new Uint32Array(bucketCount)
  private previous = new Uint32Array(bucketCount)
  private currentCount = 0
  private previousCount = 0
  private startedAt = 0
  private cachedP99 = 0
  private untilRefresh = 0
  private ewma = 0
  private ewmaAt = 0

  /** @param windowMs Length of one window. */
  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  record(latencyMs: number, now: number): void {
    this.turn(now)
    const at = bucketOf(latencyMs)
    this.current[at] = (this.current[at] ?? 0) + 1
    this.currentCount += 1
    this.untilRefresh -= 1
    this.observe(latencyMs, now)
  }

  /** Answers that the quantiles stand on. */
  get samples(): number {
    return this.currentCount + this.previousCount
  }

  /** Recomputed after every 32 answers, sooner while there are few, and with a new window. Milliseconds. */
  p99(now: number): number {
    this.turn(now)
    if (this.untilRefresh <= 0) {
      this.cachedP99 = this.quantile(0.99)
      this.untilRefresh = Math.min(refreshAfter, this.samples)
    }
    return this.cachedP99
  }

  /**
   * Peak-EWMA (Finagle): jumps to a slower answer at once, decays to faster ones over about ten seconds.
   * Failures record a penalty here, so that a node that fails fast does not look quick.
   */
  observe(latencyMs: number, now: number): void {
    if (latencyMs >= this.ewma) this.ewma = latencyMs
    else {
      const keep = Math.exp(-(now - this.ewmaAt) / 10_000)
      this.ewma = this.ewma * keep + latencyMs * (1 - keep)
    }
    this.ewmaAt = now
  }

  /** Mean of the same answers, within 5 %, ms; NaN where there are none. Walks all buckets: not for every request. */
  mean(now: number): number {
    this.turn(now)
    let sum = 0
    for (let i = 0; i < bucketCount; i++)
      sum += ((this.current[i] ?? 0) + (this.previous[i] ?? 0)) * middleMs(i)
    return sum / this.samples
  }

  get peakEwma(): number {
    return this.ewma
  }

  private quantile(q: number): number {
    const total = this.samples
    if (total === 0) return 0
    let left = Math.ceil(total * (1 - q))
    for (let i = bucketCount - 1; i >= 0; i--) {
      left -= (this.current[i] ?? 0) + (this.previous[i] ?? 0)
      if (left <= 0) return upperEdgeMs(i)
    }
    return upperEdgeMs(0)
  }

  private turn(now: number): void {
    const age = now - this.startedAt
    if (age < this.windowMs) return
    const [older, newer] = [this.previous, this.current]
    older.fill(0)
    this.current = older
    this.previous = newer
    this.previousCount = this.currentCount
    this.currentCount = 0
    if (age >= 2 * this.windowMs) {
      newer.fill(0)
      this.previousCount = 0
    }
    this.startedAt = now
    this.untilRefresh = 0
  }
}

function bucketOf(latencyMs: number): number {
  if (!(latencyMs > lowestMs)) return 0
  return Math.min(bucketCount - 1, Math.ceil(Math.log2(latencyMs / lowestMs) * bucketsPerDoubling))
}

/** Where the answers of a bucket lie on the average. */
const middleMs = (bucket: number): number => upperEdgeMs(bucket - 0.5)
const upperEdgeMs = (bucket: number): number => lowestMs * 2 ** (bucket / bucketsPerDoubling)
