// What is kept of attempts by whoever was not let in: each of the first, then one record that says how many more.
import type { AuditEntry } from '../../model/audit.ts'
import { LoginAttempts, networkOf } from '../../policy/login-attempts.ts'

export interface StrangersParts {
  /** Writes a record. */
  note(entry: AuditEntry): Promise<void>
  /** ms, never going back. */
  now(): number
  /** A record could not be written. */
  fault(cause: unknown): void
}

/** Ten records of one address, then one a minute; a hundred of all, then one in ten seconds. */
const ofOne = { burst: 10, forgiveMs: 60_000, sources: 1000 }
const ofAll = { burst: 100, forgiveMs: 10_000, sources: 1 }
/** How often a record says what had none of its own, ms. */
export const summaryMs = 60_000
/** Addresses that such a record names; the others are only counted. */
const namedAtMost = 5
/** Addresses that are told apart between two of them. */
const countedAtMost = 1000

export class Strangers implements AsyncDisposable {
  private readonly parts: StrangersParts
  private readonly ofOne = new LoginAttempts(ofOne)
  private readonly ofAll = new LoginAttempts(ofAll)
  private readonly unkept = new Map<string, number>()
  private timer: NodeJS.Timeout | null = null

  constructor(parts: StrangersParts) {
    this.parts = parts
  }

  /** Keeps it, or counts it. */
  async note(entry: AuditEntry): Promise<void> {
    const now = this.parts.now()
    const network = networkOf(entry.from)
    if (this.ofOne.waitMs(network, now) === 0 && this.ofAll.waitMs('', now) === 0) {
      this.ofOne.wrong(network, now)
      this.ofAll.wrong('', now)
      return this.parts.note(entry)
    }
    const name = this.unkept.has(network) || this.unkept.size < countedAtMost ? network : 'others'
    this.unkept.set(name, (this.unkept.get(name) ?? 0) + 1)
    this.timer ??= setTimeout(() => void this.summarise(), summaryMs).unref()
  }

  /** Writes what has had no record of its own, if anything. Never throws. */
  async summarise(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    const counts = [...this.unkept].toSorted(([, a], [, b]) => b - a)
    if (counts.length === 0) return
    this.unkept.clear()
    const total = counts.reduce((sum, [, count]) => sum + count, 0)
    const named = counts.slice(0, namedAtMost).map(([network, count]) => `${network} ${count}`)
    const rest = counts.length - named.length
    try {
      await this.parts.note({
        actor: null,
        from: counts.length === 1 ? (counts[0]?.[0] ?? '') : 'several addresses',
        action: 'access.refused',
        target: 'access',
        reason: null,
        before: null,
        after: null,
        outcome: 'refused',
        detail: `${total} more attempts without a good credential: ${named.join(', ')}${rest > 0 ? `, and ${rest} more addresses` : ''}`,
      })
    } catch (cause) {
      this.parts.fault(cause)
    }
  }

  /** What was counted is kept before the registry closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.summarise()
  }
}
