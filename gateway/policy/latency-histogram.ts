// Latencies counted in buckets that widen, so that quantiles of any number of requests cost the same.

const bucketsPerDoubling = 8
const bucketCount = 176
/** The lowest bucket's upper edge, ms; the highest one's is above three minutes. */
const lowestMs = 0.05

/** Within 9 % of the true value: eight buckets to a doubling. */
export class LatencyHistogram {
  readonly counts: number[]
  count = 0

  /** @param counts Of another histogram, to go on from. */
  constructor(counts: readonly number[] = []) {
    this.counts = Array.from({ length: bucketCount }, (_, i) => counts[i] ?? 0)
    this.count = this.counts.reduce((sum, one) => sum + one, 0)
  }

  record(ms: number): void {
    const at = bucketOf(ms)
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.count += 1
  }

  add(other: LatencyHistogram): void {
    for (const [i, count] of other.counts.entries()) this.counts[i] = (this.counts[i] ?? 0) + count
    this.count += other.count
  }

  /** @param q 0 to 1. @returns Upper edge of the bucket that it lies in, ms; `null` where nothing was counted. */
  quantile(q: number): number | null {
    if (this.count === 0) return null
    let left = Math.max(1, Math.ceil(q * this.count))
    for (const [i, count] of this.counts.entries()) {
      left -= count
      if (left <= 0) return upperEdgeMs(i)
    }
    return upperEdgeMs(bucketCount - 1)
  }
}

function bucketOf(ms: number): number {
  if (!(ms > lowestMs)) return 0
  return Math.min(bucketCount - 1, Math.ceil(Math.log2(ms / lowestMs) * bucketsPerDoubling))
}

const upperEdgeMs = (bucket: number): number => lowestMs * 2 ** (bucket / bucketsPerDoubling)
