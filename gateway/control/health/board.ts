// What is measured of every node, live: the one place that the router reads and that attempts and probes write.
import type { BreakerState, Health, Observer } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { Outcome, Verdict } from '../../model/outcome.ts'
import type { CodeNode } from '../../model/region.ts'
import type { HoldKind, Snapshot } from '../../model/snapshot.ts'
import { type Condition, judge, stallThreshold } from '../../policy/eligibility.ts'
import { LatencyWindow } from '../../policy/latency-window.ts'
import { blameOf } from '../../policy/outcome.ts'
import type { Fleet } from '../../policy/selection.ts'
import { rampShare, type SlowStart } from '../../policy/slow-start.ts'
import type { Clock } from '../../model/clock.ts'
import { type Breaker, BreakerFactory, type BreakerSettings } from '../breakers.ts'

export interface BoardSettings {
  readonly breaker: BreakerSettings
  readonly slowStart: SlowStart
}

const latencyWindowMs = 10_000
/** What a failure counts as in a node's expected cost, ms, so that failing fast does not look quick. */
const failurePenaltyMs = 1000

/** A node that was silent for so long has been frozen, not just slow: it is ramped back. */
const frozenAfterMs = 1000

/** One node's live state. Attempts begin and end here; everything else reads. */
export class NodeState implements Condition {
  node: CodeNode
  readonly latency = new LatencyWindow(latencyWindowMs)
  readonly circuit: Breaker
  hold: HoldKind | null = null
  health: Health = 'unknown'
  trialUnderWay = false
  silentOverdue = 0
  inFlight = 0
  private connectFailures = 0
  /** When it became stalled, by the clock; `null` while it is not. */
  private stalledAt: number | null = null
  /** When it last came back, by the clock; `-Infinity` when no ramp is due. */
  private backAt = -Infinity
  private readonly clock: Clock
  private readonly settings: BoardSettings
  private readonly observer: Observer

  constructor(
    node: CodeNode,
    clock: Clock,
    settings: BoardSettings,
    breakers: BreakerFactory,
    observer: Observer,
  ) {
    this.node = node
    this.clock = clock
    this.settings = settings
    this.observer = observer
    this.circuit = breakers.create(node.id, (state) => this.breakerMoved(state))
  }

  get breaker(): BreakerState {
    return this.circuit.state
  }

  get limit(): number {
    return this.node.limit
  }

  get ramp(): number {
    return this.backAt === -Infinity ? 1 : this.rampNow()
  }

  /** An attempt leaves for the node. Pass the ticket back to {@link ended}. */
  began(): Ticket {
    this.inFlight += 1
    const trial = this.circuit.state === 'half-open' && !this.trialUnderWay
    if (trial) this.trialUnderWay = true
    return { epoch: this.circuit.epoch, trial }
  }

  /** Passed its hedge delay without an answer. */
  overdue(): void {
    this.silentOverdue += 1
    if (this.silentOverdue >= stallThreshold) this.stalledAt ??= this.clock.now()
  }

  /** Headers came back: whatever they say, the node is not frozen. */
  answered(latencyMs: number, now: number): void {
    if (this.silentOverdue > 0) this.heard()
    this.latency.record(latencyMs, now)
  }

  ended(ticket: Ticket, outcome: Outcome, now: number): void {
    this.inFlight -= 1
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
    this.observer.healthChanged(this.node, health, detail)
  }

  /** Signs of life after silence. */
  private heard(): void {
    this.silentOverdue = 0
    if (this.stalledAt !== null && this.clock.now() - this.stalledAt >= frozenAfterMs)
      this.backAt = this.clock.now()
    this.stalledAt = null
  }

  private breakerMoved(state: BreakerState): void {
    this.trialUnderWay = false
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

export interface Ticket {
  readonly epoch: number
  readonly trial: boolean
}

/** Live state of all nodes. Follows the snapshot: a node that stays keeps what was learnt of it. */
export class Board implements Fleet, Disposable {
  private readonly states = new Map<NodeId, NodeState>()
  private readonly clock: Clock
  private readonly settings: BoardSettings
  private readonly observer: Observer
  private readonly breakers: BreakerFactory

  constructor(clock: Clock, settings: BoardSettings, observer: Observer) {
    this.clock = clock
    this.settings = settings
    this.observer = observer
    this.breakers = new BreakerFactory(settings.breaker)
  }

  /** Takes over a new snapshot's nodes and holds; returns those that are gone. */
  follow(snapshot: Snapshot): CodeNode[] {
    const gone: CodeNode[] = []
    for (const [id, state] of this.states) {
      const next = snapshot.nodes.get(id)
      if (next !== undefined && next.origin === state.node.origin) continue
      gone.push(state.node)
      state.circuit[Symbol.dispose]()
      this.states.delete(id)
    }
    for (const node of snapshot.nodes.values()) {
      const known = this.states.get(node.id)
      const state = known ?? new NodeState(node, this.clock, this.settings, this.breakers, this.observer)
      if (known === undefined) this.states.set(node.id, state)
      state.node = node
      state.hold = snapshot.holds.get(node.id)?.kind ?? null
    }
    return gone
  }

  /** Its live state; `undefined` for a node that a reload took away while a request was under way. */
  state(node: CodeNode): NodeState | undefined {
    return this.states.get(node.id)
  }

  all(): IterableIterator<NodeState> {
    return this.states.values()
  }

  judge(node: CodeNode, draw: number, canRetry: boolean): Verdict {
    const state = this.states.get(node.id)
    return state === undefined ? 'draining' : judge(state, draw, canRetry)
  }

  inFlight(node: CodeNode): number {
    return this.states.get(node.id)?.inFlight ?? 0
  }

  cost(node: CodeNode): number {
    const state = this.states.get(node.id)
    return state === undefined ? Infinity : state.latency.peakEwma * (state.inFlight + 1)
  }

  [Symbol.dispose](): void {
    for (const state of this.states.values()) state.circuit[Symbol.dispose]()
    this.states.clear()
    this.breakers[Symbol.dispose]()
  }
}
