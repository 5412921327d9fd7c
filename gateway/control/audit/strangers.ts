// What is kept of attempts that were refused, of strangers and of operators: each of the first, then one record that says
// how many more.
import type { AuditEntry } from '../../model/audit.ts'
import { type AttemptBounds, LoginAttempts, networkOf } from '../../policy/login-attempts.ts'

export interface StrangersParts {
  /** Writes a record. */
  note(entry: AuditEntry): Promise<void>
  /** ms, never going back. */
  now(): number
  /** A record could not be written. */
  fault(cause: unknown): void
}

/** By what attempts are counted, and how many have a record of their own. */
export interface RefusalKind {
  readonly ofOne: AttemptBounds
  readonly ofAll: AttemptBounds
  sourceOf(entry: AuditEntry): string
  /** Where the attempts of a summary came from; `source` is `null` where there are several. */
  fromOf(source: string | null): string
  readonly words: { readonly attempts: string; readonly several: string }
}

const severalAddresses = 'several addresses'

/** Ten records of one address, then one a minute; a hundred of all, then one in ten seconds. */
export const ofStrangers: RefusalKind = {
  ofOne: { burst: 10, forgiveMs: 60_000, sources: 1000 },
  ofAll: { burst: 100, forgiveMs: 10_000, sources: 1 },
  sourceOf: ({ from }) => networkOf(from),
  fromOf: (source) => source ?? severalAddresses,
  words: { attempts: 'attempts without a good credential', several: 'addresses' },
}

/** A good token of little right could fill the log: a hundred records of one operator, then one in ten seconds. */
export const ofOperators: RefusalKind = {
  ofOne: { burst: 100, forgiveMs: 10_000, sources: 1000 },
  ofAll: { burst: 1000, forgiveMs: 1000, sources: 1 },
  sourceOf: ({ actor }) => actor?.id ?? '',
  fromOf: () => severalAddresses,
  words: { attempts: 'refused attempts', several: 'operators' },
}

/** How often a record says what had none of its own, ms. */
export const summaryMs = 60_000
/** Sources that such a record names; the others are only counted. */
const namedAtMost = 5
/** Sources that are told apart between two of them. */
const countedAtMost = 1000

export class Strangers implements AsyncDisposable {
  private readonly parts: StrangersParts
  private readonly kind: RefusalKind
  private readonly ofOne: LoginAttempts
  private readonly ofAll: LoginAttempts
  private readonly unkept = new Map<string, number>()
  private timer: NodeJS.Timeout | null = null

  constructor(parts: StrangersParts, kind: RefusalKind = ofStrangers) {
    this.parts = parts
    this.kind = kind
    this.ofOne = new LoginAttempts(kind.ofOne)
    this.ofAll = new LoginAttempts(kind.ofAll)
  }

  /** Keeps it, or counts it. */
  async note(entry: AuditEntry): Promise<void> {
    const now = this.parts.now()
    const source = this.kind.sourceOf(entry)
    if (this.ofOne.waitMs(source, now) === 0 && this.ofAll.waitMs('', now) === 0) {
      this.ofOne.wrong(source, now)
      this.ofAll.wrong('', now)
      return this.parts.note(entry)
    }
    const name = this.unkept.has(source) || this.unkept.size < countedAtMost ? source : 'others'
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
    const named = counts.slice(0, namedAtMost).map(([source, count]) => `${source} ${count}`)
    const rest = counts.length - named.length
    const { words } = this.kind
    try {
      await this.parts.note({
        actor: null,
        from: this.kind.fromOf(counts.length === 1 ? (counts[0]?.[0] ?? null) : null),
        action: 'access.refused',
        target: 'access',
        reason: null,
        before: null,
        after: null,
        outcome: 'refused',
        detail: `${total} more ${words.attempts}: ${named.join(', ')}${rest > 0 ? `, and ${rest} more ${words.several}` : ''}`,
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
