// Two other ways to learn a limit, as their sources describe them, to be measured beside ours.
import type { Limit } from '../../support/simulated-node.ts'

/** Netflix concurrency-limits, Gradient2Limit: a long average against the last answer, queue allowance of 4. */
export class Gradient2 implements Limit {
  private exact = 20
  private longMs = 0
  private inFlight = 0

  get limit(): number {
    return Math.floor(this.exact)
  }

  began(inFlight: number): void {
    this.inFlight = inFlight
  }

  answered(latencyMs: number): void {
    this.longMs = this.longMs === 0 ? latencyMs : this.longMs + (latencyMs - this.longMs) * (2 / 601)
    if (this.longMs / latencyMs > 2) this.longMs *= 0.95
    if (this.inFlight < this.exact / 2) return
    const gradient = Math.max(0.5, Math.min(1, (1.5 * this.longMs) / latencyMs))
    this.exact = Math.max(4, this.exact * 0.8 + 0.2 * (this.exact * gradient + 4))
  }
}

/** Additive increase near the limit, cut by a tenth for an answer later than a timeout. */
export class Aimd implements Limit {
  private exact = 20
  private inFlight = 0
  private readonly timeoutMs: number

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  get limit(): number {
    return Math.floor(this.exact)
  }

  began(inFlight: number): void {
    this.inFlight = inFlight
  }

  answered(latencyMs: number): void {
    if (latencyMs > this.timeoutMs) this.exact = Math.max(4, this.exact * 0.9)
    else if (this.inFlight * 2 >= this.exact) this.exact += 1
  }
}
