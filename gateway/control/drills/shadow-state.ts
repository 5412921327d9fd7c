// A node as a drill's cohort sees it: measured like any other, apart from what the real one is measured by.
import type { Fault } from '../../model/drill.ts'
import type { AttemptKind, BreakerState, Observer } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import { stallThreshold } from '../../policy/eligibility.ts'
import type { Donor } from '../health/donor.ts'
import { NodeState, type NodeParts, type Ticket } from '../health/node-state.ts'

/** Attempts at the real node are told to whoever counts those; what a fault swallowed never was one. */
export type AttemptsTold = Pick<Observer, 'attemptStarted' | 'attemptEnded'>

/** Lends without a bound: what the region really lends is judged at the real node. */
export const unbounded = { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 }

/**
 * Attempts that go to the node for real are counted on its real state too, so that its limit, its quota and its breaker
 * know of them. What a fault swallows is counted here alone.
 */
export class ShadowState extends NodeState {
  /** What attempts meet; `null` before and after. */
  fault: Fault | null = null
  readonly real: NodeState
  private readonly listener: AttemptsTold
  /** Told each time that its silence is found to be more than slowness. */
  stalled = (): void => {}
  private isForgiven = false
  private readonly sent = new Map<Ticket, Ticket>()

  /** @param donor Counts what the cohort borrows of the region. */
  constructor(real: NodeState, donor: Donor, parts: NodeParts, listener: AttemptsTold) {
    super(real.node, donor, parts)
    this.real = real
    this.listener = listener
    this.health = real.health
  }

  /** The attempt goes to the node now. */
  sends(ticket: Ticket, kind: AttemptKind, now: number): void {
    const use = ticket.learns ? 'request' : ticket.working ? 'stream' : 'upload'
    this.sent.set(ticket, this.real.began(now, ticket.lender !== null, use))
    this.listener.attemptStarted(this.node, kind)
  }

  /** @param part Of what its region agreed to lend and reserves for this process, 0 to 1. */
  lendsOnly(part: number): void {
    const { lending, ownPart } = this.real.donor
    const cut = (limit: number): number => (part === 0 ? 0 : limit * part)
    this.donor.use({
      limitRps: cut(ownPart.rps),
      limitConcurrent: Math.ceil(cut(ownPart.open)),
      homeReserve: lending.homeReserve,
    })
  }

  /** Forgets what only the cohort met of it. */
  forgive(): void {
    this.isForgiven = true
    this.silentOverdue = 0
    this.circuit[Symbol.dispose]()
  }

  override get breaker(): BreakerState {
    return this.isForgiven ? 'closed' : super.breaker
  }

  override overdue(): void {
    super.overdue()
    if (this.silentOverdue >= stallThreshold) this.stalled()
  }

  /** It went to the node, or has gone there. */
  hasSent(ticket: Ticket): boolean {
    return this.sent.has(ticket)
  }

  override workBegan(ticket: Ticket): void {
    super.workBegan(ticket)
    const real = this.sent.get(ticket)
    if (real !== undefined) this.real.workBegan(real)
  }

  override passedOn(ticket: Ticket): void {
    super.passedOn(ticket)
    const real = this.sent.get(ticket)
    if (real !== undefined) this.real.passedOn(real)
  }

  override answered(ticket: Ticket, outcome: Outcome, now: number): void {
    super.answered(ticket, outcome, now)
    const real = this.sent.get(ticket)
    if (real !== undefined) this.real.answered(real, outcome, now)
  }

  override ended(ticket: Ticket, outcome: Outcome, now: number, retryAfterMs = 0): void {
    super.ended(ticket, outcome, now, retryAfterMs)
    const real = this.sent.get(ticket)
    if (real === undefined) return
    this.sent.delete(ticket)
    // Part of its time may have passed before it was sent: a deadline says nothing of the node then.
    const delayed = real.startedAt - ticket.startedAt > 1
    const seen = outcome === 'timeout' && delayed ? 'abandoned' : outcome
    this.real.ended(real, seen, now, retryAfterMs)
    this.listener.attemptEnded(this.node, seen)
  }
}
