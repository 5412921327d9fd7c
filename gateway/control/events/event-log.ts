// The last events for operators, and whoever follows them.
import type { Delivery, Happening, OperatorEvent } from '../../model/happening.ts'
import { describe, type NameOf } from './describe.ts'

/** Events that are kept. */
export const eventsKept = 1000
/** What several workers see of the same within this time is one event, ms. */
const sameWithinMs = 2000

export interface EventLogParts {
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  readonly nameOf: NameOf
}

/** The primary has eyes of its own, but serves nobody and isn't counted. */
export const byPrimary = 0

const seenBy = (workers: ReadonlySet<number>): number =>
  Math.max(1, workers.size - (workers.has(byPrimary) ? 1 : 0))

interface Sighting {
  readonly seq: number
  readonly at: number
  readonly workers: Set<number>
}

/**
 * Followers keep a place in the log and no queue: one that reads slowly costs nothing, and what it was too slow for
 * comes to it as a gap.
 */
export class EventLog implements Disposable {
  private readonly parts: EventLogParts
  private readonly epoch: number
  /** By number modulo its length. */
  private readonly ring: OperatorEvent[] = []
  /** Number of the newest; 0 while there is none. */
  private last = 0
  private readonly sightings = new Map<string, Sighting>()
  private readonly waiters = new Set<() => void>()
  private ended = false

  constructor(parts: EventLogParts) {
    this.parts = parts
    this.epoch = parts.wallNow()
  }

  /** @param worker Place of the worker that saw it, {@link byPrimary} for their primary; `null` where there are none. */
  add(happening: Happening, worker: number | null = null): void {
    const at = this.parts.wallNow()
    if (worker !== null && this.isSeenAlready(happening, worker, at)) return
    this.last += 1
    this.ring[this.last % eventsKept] = {
      id: `${this.epoch}-${this.last}`,
      at,
      ...describe(happening, this.parts.nameOf),
      seenBy: 1,
      happening,
    }
    if (worker !== null) {
      this.sightings.set(sameness(happening), { seq: this.last, at, workers: new Set([worker]) })
    }
    for (const wake of this.waiters) wake()
  }

  /** Those that are kept, oldest first. */
  recent(): readonly OperatorEvent[] {
    return Array.from({ length: this.last - this.oldest + 1 }, (_, i) => this.at(this.oldest + i)).flatMap(
      (event) => event ?? [],
    )
  }

  /**
   * What comes after the event named `after`, missed ones first, until `signal` aborts or the log ends.
   *
   * @param after `null`: only what comes from now on. An id of before a restart, or one that is none, is followed by a
   *   gap and all that is kept.
   */
  follow(after: string | null, signal: AbortSignal): AsyncGenerator<Delivery, void> {
    return this.from(after === null ? this.last : this.seqOf(after), signal)
  }

  [Symbol.dispose](): void {
    this.ended = true
    for (const wake of this.waiters) wake()
  }

  /** @param start Number of the last event that is known to the follower; `null`: nobody can tell. */
  private async *from(start: number | null, signal: AbortSignal): AsyncGenerator<Delivery, void> {
    let known = start ?? this.oldest - 1
    if (start === null) yield { type: 'gap', missed: null }
    while (!this.ended && !signal.aborted) {
      if (known < this.oldest - 1) {
        const missed = this.oldest - 1 - known
        known = this.oldest - 1
        yield { type: 'gap', missed }
      }
      const event = this.at(known + 1)
      if (event === null) await this.more(signal)
      else {
        known += 1
        yield { type: 'event', event }
      }
    }
  }

  private more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiters.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.waiters.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  private get oldest(): number {
    return Math.max(1, this.last - eventsKept + 1)
  }

  private at(seq: number): OperatorEvent | null {
    return seq < this.oldest || seq > this.last ? null : (this.ring[seq % eventsKept] ?? null)
  }

  private seqOf(id: string): number | null {
    const [, epoch, seq] = /^(\d{1,16})-(\d{1,16})$/.exec(id) ?? []
    if (Number(epoch) !== this.epoch || Number(seq) > this.last) return null
    return Number(seq)
  }

  /** Another worker saw the same a moment ago. One that says it twice means another time. */
  private isSeenAlready(happening: Happening, worker: number, at: number): boolean {
    const name = sameness(happening)
    const sighting = this.sightings.get(name)
    if (sighting === undefined) return false
    const isNew = at - sighting.at > sameWithinMs || sighting.workers.has(worker)
    const event = this.at(sighting.seq)
    if (isNew || event === null) {
      this.sightings.delete(name)
      return false
    }
    sighting.workers.add(worker)
    this.ring[sighting.seq % eventsKept] = { ...event, seenBy: seenBy(sighting.workers) }
    return true
  }
}

/** The same for what is the same though workers see it a little differently. */
function sameness(happening: Happening): string {
  const { kind } = happening
  switch (kind) {
    case 'health':
      return `${kind} ${happening.node} ${happening.health}`
    case 'breaker':
      return `${kind} ${happening.node} ${happening.state}`
    case 'readiness':
      return `${kind} ${happening.node} ${happening.notReadyFor.toSorted().join(' ')}`
    case 'shift':
      return `${kind} ${happening.home} ${happening.level} ${happening.region}`
    case 'hold':
      return `${kind} ${happening.hold.id} ${happening.step} ${happening.hold.kind} ${happening.hold.expiresAt}`
    case 'mode':
      return `${kind} ${happening.mode}`
    case 'snapshot':
      return `${kind} ${happening.regions} ${happening.nodes}`
    case 'registry':
      return `${kind} ${happening.up}`
    case 'shedding':
      return `${kind} ${happening.home}`
    case 'protection':
      return `${kind} ${happening.level}`
    case 'enrolment':
      return `${kind} ${happening.enrolment} ${happening.step}`
    case 'drill':
      return `${kind} ${happening.drill} ${happening.homes.join(' ')} ${happening.step}`
    case 'reload-refused':
      return `${kind} ${happening.what} ${happening.detail}`
  }
}
