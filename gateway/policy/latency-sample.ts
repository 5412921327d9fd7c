// Latencies of a stretch of time: their mean, and how far it may be off.

export class LatencySample {
  count = 0
  private sum = 0
  private squares = 0

  add(latencyMs: number): void {
    this.count += 1
    this.sum += latencyMs
    this.squares += latencyMs * latencyMs
  }

  clear(): void {
    this.count = 0
    this.sum = 0
    this.squares = 0
  }

  /** Milliseconds; NaN where there is none. */
  get mean(): number {
    return this.sum / this.count
  }

  /** Standard error of the mean, ms: a node that scatters its answers must not be taken for one with a queue. */
  get error(): number {
    const { mean } = this
    return Math.sqrt(Math.max(0, this.squares / this.count - mean * mean) / this.count)
  }
}
