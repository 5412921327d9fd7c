// How often somebody may be wrong about who they are.

export interface AttemptBounds {
  /** Wrong attempts of one source that are answered at once. */
  readonly burst: number
  /** Time until one more is forgiven, ms. */
  readonly forgiveMs: number
  /** Sources that are remembered. */
  readonly sources: number
}

/** Leaky bucket by source address. Only wrong attempts count, so that nobody is shut out by being busy. */
export class LoginAttempts {
  private readonly bounds: AttemptBounds
  /** Time at which a source's bucket will be empty, ms. Least lately used first. */
  private readonly emptyAt = new Map<string, number>()

  constructor(bounds: AttemptBounds) {
    this.bounds = bounds
  }

  /** @returns How long the source must wait until it is listened to again, ms; 0 for not at all. */
  waitMs(source: string, now: number): number {
    const { burst, forgiveMs } = this.bounds
    const level = Math.max(0, (this.emptyAt.get(source) ?? 0) - now)
    return Math.max(0, Math.ceil(level - (burst - 1) * forgiveMs))
  }

  wrong(source: string, now: number): void {
    const before = this.emptyAt.get(source) ?? 0
    this.emptyAt.delete(source)
    const [oldest] = this.emptyAt.keys()
    if (this.emptyAt.size >= this.bounds.sources && oldest !== undefined) this.emptyAt.delete(oldest)
    this.emptyAt.set(source, Math.max(before, now) + this.bounds.forgiveMs)
  }
}
