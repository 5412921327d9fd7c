// How often somebody may be wrong about who they are, and how much of that is worth a record of its own.
import { LRUCache } from 'lru-cache'

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
  /** Time at which a source's bucket will be empty, ms. */
  private readonly emptyAt: LRUCache<string, number>

  constructor(bounds: AttemptBounds) {
    this.bounds = bounds
    this.emptyAt = new LRUCache({ max: bounds.sources })
  }

  /** @returns How long the source must wait until it is listened to again, ms; 0 for not at all. */
  waitMs(source: string, now: number): number {
    const { burst, forgiveMs } = this.bounds
    const level = Math.max(0, (this.emptyAt.peek(source) ?? 0) - now)
    return Math.max(0, Math.ceil(level - (burst - 1) * forgiveMs))
  }

  wrong(source: string, now: number): void {
    const before = this.emptyAt.peek(source) ?? 0
    const { burst, forgiveMs } = this.bounds
    // No fuller than full: however many came, one is forgiven after the usual time.
    this.emptyAt.set(source, Math.min(Math.max(before, now) + forgiveMs, now + burst * forgiveMs))
  }
}

/** What addresses are counted by: IPv4 as it is, IPv6 by its /64, of which every machine has as many as it likes. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`
}
