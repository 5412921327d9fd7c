// One node's live state: what attempts and probes wrote of it, and what the router reads.
import type { Clock } from '../../model/clock.ts'
import type { BreakerState, Health, Observer } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { CodeNode } from '../../model/region.ts'
import type { HoldKind } from '../../model/hold.ts'
import type { RegionId } from '../../model/ids.ts'
import type { LimitBasis } from '../../model/readings.ts'
import { AdaptiveLimit, type ConcurrencySettings } from '../../policy/concurrency.ts'
import { type Condition, stallThreshold } from '../../policy/eligibility.ts'
import { LatencyWindow } from '../../policy/latency-window.ts'
import { blameOf } from '../../policy/outcome.ts'
import { rampShare, type SlowStart } from '../../policy/slow-start.ts'
import type { Breaker, BreakerFactory, BreakerSettings } from '../breakers.ts'
import type { Donor } from './donor.ts'
import type { Readiness } from './readiness.ts'

export interface NodeSettings {
  readonly breaker: BreakerSettings
  readonly slowStart: SlowStart
  readonly concurrency: ConcurrencySettings
}

/** The gateway's own part in what it measures. */
export interface OwnDelay {
  /** How late its event loop may be to notice an answer, ms. */
  ms: number
}

/**
 * What an attempt takes up:
 * - `request`: work for the node until it is answered, and how long that takes is learnt from;
 * - `stream`: work until the head of its answer comes, then open for as long as its client likes;
 * - `upload`: as fast as its client sends, then work until it is answered.
 */
export type Use = 'request' | 'stream' | 'upload'

const latencyWindowMs = 10_000
/** What a failure counts as in a node's expected cost, ms, so that failing fast does not look quick. */
const failurePenaltyMs = 1000

/** A node that was silent for so long has been frozen, not just slow: it is ramped back. */
const frozenAfterMs = 1000
const noHomes: ReadonlySet<RegionId> = new Set()

/** So long a half-open breaker waits for a request that could be moved if it failed. */
const trialWaitMs = 2000
/** With fewer answers the delay after which silence counts is a guess; see `hedging.minSamples`. */
const samplesToKnow = 50

/** One node's live state. Attempts begin and end here; everything else reads. */
export class NodeState implements Condition {
  node: CodeNode
  readonly latency = new LatencyWindow(latencyWindowMs)
  readonly circuit: Breaker
  hold: HoldKind | null = null
  health: Health = 'unknown'
  notReadyFor: ReadonlySet<RegionId> = noHomes
  /** What the last change of `health` was for. */
  healthDetail = ''
  trialUnderWay = false
  silentOverdue = 0
  inFlight = 0
  /** Limit by the node's own load report; `Infinity` where it gives none. */
  reportedLimit = Infinity
  private streams = 0
  private readonly learnt: AdaptiveLimit
  /** Whose quota new loans count against. */
  donor: Donor
  private readonly own: OwnDelay
  /** What it last said of homes could not be believed. */
  private isUnreadable = false
  private connectFailures = 0
  private halfOpenAt = 0
  /** When it became stalled, by the clock; `null` while it is not. */
  private stalledAt: number | null = null
  /** When it last came back, by the clock; `-Infinity` when no ramp is due. */
  private backAt = -Infinity
  private readonly clock: Clock
  private readonly settings: NodeSettings
  private readonly observer: NodeObserver

  constructor(node: CodeNode, donor: Donor, parts: NodeParts) {
    const { clock, settings, breakers, observer, own } = parts
    this.node = node
    this.donor = donor
    this.own = own
    this.clock = clock
    this.settings = settings
    this.learnt = new AdaptiveLimit(settings.concurrency)
    this.observer = observer
    this.circuit = breakers.create(node.id, (state) => this.breakerMoved(state))
  }

  get breaker(): BreakerState {
    return this.circuit.state
  }

  get limit(): number {
    const given = Math.min(this.node.limit, this.reportedLimit) - this.streams
    return Math.max(0, Math.min(this.learnt.limit, given))
  }

  /** What the limit rests on, and how much that says the node can take; `Infinity` where nothing is known. */
  get known(): { readonly basis: LimitBasis; readonly limit: number } {
    const given = Math.min(this.node.limit, this.reportedLimit)
    if (this.learnt.isProven && this.learnt.limit < given) {
      return { basis: 'learnt', limit: this.learnt.limit }
    }
    if (given === Infinity) return { basis: 'unproven', limit: Infinity }
    const basis = this.reportedLimit < this.node.limit ? 'reported' : 'declared'
    return { basis, limit: Math.max(0, given - this.streams) }
  }

  /** See {@link AdaptiveLimit.easeMs}. */
  get easeMs(): number {
    return this.learnt.easeMs
  }

  /** See {@link AdaptiveLimit.stretch}; false where something else than learning holds it back. */
  stretch(now: number): boolean {
    return (
      this.inFlight >= this.learnt.limit &&
      !this.pausing &&
      this.learnt.stretch(this.inFlight, now, this.own.ms)
    )
  }

  /** It passed a delay that was only guessed, for want of answers: it may as well be slow as frozen. */
  get isSilentByGuess(): boolean {
    return this.latency.samples < samplesToKnow
  }

  get pausing(): boolean {
    return this.learnt.hasPaused && this.learnt.isClosed(this.clock.now())
  }

  get homeReserve(): number {
    return this.donor.lending.homeReserve
  }

  get quotaSpent(): boolean {
    return this.donor.isSpent(this.clock.now())
  }

  get trialOverdue(): boolean {
    return this.circuit.state === 'half-open' && this.clock.now() - this.halfOpenAt >= trialWaitMs
  }

  get ramp(): number {
    return this.backAt === -Infinity ? 1 : this.rampNow()
  }

  /**
   * An attempt leaves for the node. Pass the ticket back to {@link ended}.
   * @param borrowed Whether the request is another region's.
   */
  began(now: number, borrowed: boolean, use: Use): Ticket {
    const working = use !== 'upload'
    if (working) {
      this.inFlight += 1
      this.learnt.began(this.inFlight, now)
    } else this.streams += 1
    const lender = borrowed ? this.donor : null
    lender?.lent(now)
    const trial = this.circuit.state === 'half-open' && !this.trialUnderWay
    if (trial) this.trialUnderWay = true
    return { epoch: this.circuit.epoch, trial, startedAt: now, lender, learns: use === 'request', working }
  }

  /** An upload is in: the node has what it needs. */
  workBegan(ticket: Ticket): void {
    if (ticket.working) return
    ticket.working = true
    this.streams -= 1
    this.inFlight += 1
  }

  /** Its answer goes on to a client as fast as that one reads: the node's work is done. */
  passedOn(ticket: Ticket): void {
    if (!ticket.working) return
    ticket.working = false
    this.inFlight -= 1
    this.streams += 1
  }

  /** Passed its hedge delay without an answer. */
  overdue(): void {
    this.silentOverdue += 1
    if (this.silentOverdue >= stallThreshold) this.stalledAt ??= this.clock.now()
  }

  /** Headers came back: whatever they say, the node is not frozen. */
  answered(ticket: Ticket, outcome: Outcome, now: number): void {
    if (this.silentOverdue > 0) this.heard()
    // Said without any work, so it tells nothing of how long work takes.
    if (outcome === 'misdirected') return
    if (ticket.learns) {
      const latencyMs = now - ticket.startedAt
      this.learnt.answered(latencyMs, now, this.own.ms)
      this.latency.record(latencyMs, now)
    } else if (ticket.trial) {
      // The rest may take hours; nobody else could be the trial meanwhile.
      this.blame(ticket, outcome, now)
      ticket.trial = false
    }
  }

  /** @param retryAfterMs What a node that refused asked for; 0 where it said nothing. */
  ended(ticket: Ticket, outcome: Outcome, now: number, retryAfterMs = 0): void {
    if (outcome === 'refused') this.learnt.refused(this.inFlight, retryAfterMs, now)
    else if (outcome === 'timeout' && ticket.learns && ticket.working) {
      this.learnt.answered(now - ticket.startedAt, now, this.own.ms)
    }
    if (ticket.working) this.inFlight -= 1
    else this.streams -= 1
    ticket.lender?.gaveBack()
    this.blame(ticket, outcome, now)
  }

  private blame(ticket: Ticket, outcome: Outcome, now: number): void {
    if (ticket.trial) this.trialUnderWay = false
    const blame = blameOf(outcome)
    if (blame === 'failure') this.latency.observe(failurePenaltyMs, now)
    if (blame === 'neutral' || ticket.epoch !== this.circuit.epoch) return
    this.connectFailures = outcome === 'connect-failed' ? this.connectFailures + 1 : 0
    // Half open, the trial alone decides; others of the same epoch can only be repeats of what tripped it.
    if (this.circuit.state === 'closed' || ticket.trial) this.circuit.record(blame === 'failure')
    if (this.connectFailures >= this.settings.breaker.connectFailures) this.circuit.open()
  }

  probed(health: Health, detail: string): void {
    if (health === 'up' && this.silentOverdue > 0) this.heard()
    if (health === this.health) return
    if (this.health === 'down' && health === 'up') this.backAt = this.clock.now()
    this.health = health
    this.healthDetail = detail
    this.observer.healthChanged(this.node, health, detail)
  }

  /**
   * What a good probe brought. Of a bad one nothing is known, so that what it said before stands.
   * What can't be believed keeps it from nobody: a node refuses by itself what it can't answer for.
   */
  told(readiness: Readiness): void {
    const now = readiness.kind === 'told' ? readiness.notReadyFor : noHomes
    const unreadable = readiness.kind === 'unreadable'
    if (unreadable) this.observer.readinessUnreadable(this.node, readiness.why, !this.isUnreadable)
    this.isUnreadable = unreadable
    const changed = now.size !== this.notReadyFor.size || [...now].some((home) => !this.notReadyFor.has(home))
    this.notReadyFor = now
    if (changed) this.observer.readinessChanged(this.node, now)
  }

  /** Signs of life after silence. */
  private heard(): void {
    this.silentOverdue = 0
    if (this.stalledAt !== null && this.clock.now() - this.stalledAt >= frozenAfterMs)
      this.backAt = this.clock.now()
    this.stalledAt = null
  }

  /** Trusts it again step by step, as after a return. */
  rampFromNow(): void {
    this.backAt = this.clock.now()
  }

  private breakerMoved(state: BreakerState): void {
    this.trialUnderWay = false
    if (state === 'half-open') this.halfOpenAt = this.clock.now()
    if (state === 'closed') {
      this.backAt = this.clock.now()
      this.silentOverdue = 0
      this.stalledAt = null
    }
    this.observer.breakerChanged(this.node, state)
  }

  private rampNow(): number {
    const share = rampShare(this.clock.now() - this.backAt, this.settings.slowStart)
    if (share >= 1) this.backAt = -Infinity
    return share
  }
}

/** Who hears of a node's changes. */
export type NodeObserver = Pick<
  Observer,
  'healthChanged' | 'breakerChanged' | 'readinessChanged' | 'readinessUnreadable'
>

export interface NodeParts {
  readonly clock: Clock
  readonly settings: NodeSettings
  readonly breakers: BreakerFactory
  readonly observer: NodeObserver
  readonly own: OwnDelay
}

export interface Ticket {
  readonly epoch: number
  trial: boolean
  readonly startedAt: number
  /** Who lent it; `null` for its own region's resident. */
  readonly lender: Donor | null
  /** How long its answer takes says what the node can do. */
  readonly learns: boolean
  /** The node works on it now. */
  working: boolean
}
