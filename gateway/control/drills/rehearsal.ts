// One home's part in a drill, in one process: puts the fault on, takes it off, and sees to it that nodes are trusted again.
import type { Clock } from '../../model/clock.ts'
import type { DrillLease, DrillPhase } from '../../model/drill.ts'
import type { BreakerState, Observer } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Home } from '../../model/snapshot.ts'
import type { MeasuresInTheMaking } from '../../policy/drill-measure.ts'
import { cohortSeed, isInCohort, targetsOf } from '../../policy/drill-scope.ts'
import type { FoundBy } from '../../policy/drill-own-trips.ts'
import { afterProbe, nextProbeInMs, type ProbeSettings, type ProbeState } from '../../policy/health.ts'
import { BreakerFactory } from '../breakers.ts'
import type { Board } from '../health/board.ts'
import type { NodeSettings, OwnDelay } from '../health/node-state.ts'
import { ShadowBoard } from './shadow-board.ts'
import { isBack, isDownAlone, isKnownBad, isSilent, isUnprobed } from './shadow-condition.ts'
import { ShadowMaker } from './shadow-maker.ts'
import { type ShadowState, unbounded } from './shadow-state.ts'
import { ShadowObserver } from './shadow-observer.ts'
import { Witnesses } from './witnesses.ts'

export interface RehearsalParts {
  readonly board: Board
  readonly clock: Clock
  /** Wall-clock milliseconds since 1970, with fractions. */
  readonly wallNow: () => number
  readonly nodeSettings: () => NodeSettings
  /** `timeoutMs`: how long a probe waits for an answer, ms. */
  readonly probeSettings: () => ProbeSettings & { readonly timeoutMs: number }
  readonly own: OwnDelay
  /** Told what concerns residents and real nodes. */
  readonly observer: Observer
}

/** Recovery is looked at so often, ms. */
const lookEveryMs = 100
/** What never got a request that could prove it well is given up on after a trial's wait, a ramp and this, ms. */
const patienceMs = 5000

export class Rehearsal implements Disposable {
  readonly lease: DrillLease
  readonly board: ShadowBoard
  readonly measures: MeasuresInTheMaking
  /** What breakers would have made of nodes that the cohort is kept off. */
  readonly witnesses: Witnesses
  private at: DrillPhase = 'ahead'
  /** Told when residents are no longer in it. */
  whenOver = (): void => {}
  private readonly seed: number
  private readonly parts: RehearsalParts
  private readonly breakers: BreakerFactory
  private readonly shadows = new Map<NodeId, ShadowState>()
  private readonly isStalled = new Set<NodeId>()
  private readonly maker: ShadowMaker
  private isDeaf = false
  private readonly timers = new Set<() => void>()
  /** Delayed attempts and what else ends with the fault. */
  private readonly atEnd = new Set<() => void>()
  private recoverBy = Infinity
  private cancelLease = (): void => {}

  constructor(lease: DrillLease, home: Home, measures: MeasuresInTheMaking, parts: RehearsalParts) {
    this.lease = lease
    this.parts = parts
    this.measures = measures
    this.seed = cohortSeed(lease.drill)
    const settings = parts.nodeSettings()
    this.breakers = new BreakerFactory(settings.breaker)
    this.witnesses = new Witnesses(this.breakers, settings.breaker.connectFailures, (node) =>
      this.noteFound(node, 'control'),
    )
    const observer = new ShadowObserver(this, parts.wallNow)
    const { clock, own } = parts
    const nodeParts = { clock, settings, breakers: this.breakers, observer, own }
    this.maker = new ShadowMaker(parts.board, nodeParts, parts.observer)
    this.takeIn(home)
    this.board = new ShadowBoard(parts.board, this.shadows)
    this.tellMove(null, 'ahead')
    const untilFault = lease.faultAt - parts.wallNow()
    if (untilFault <= 0) this.faultOn()
    else this.after(untilFault, () => this.faultOn())
    this.renew(lease)
  }

  get phase(): DrillPhase {
    return this.at
  }

  private set phase(phase: DrillPhase) {
    if (phase !== this.at) this.tellMove(this.at, phase)
    this.at = phase
  }

  /** Its lease was put off. Without that it ends by itself, whatever the registry can be heard to say. */
  renew({ expiresAt, endsAt, fault }: DrillLease): void {
    this.cancelLease()
    // Who plays that the registry is lost does not hear that its lease was put off.
    const until = fault.kind === 'registry-loss' ? endsAt : Math.min(expiresAt, endsAt)
    this.cancelLease = this.parts.clock.after(Math.max(1, until - this.parts.wallNow()), () =>
      this.end(until === endsAt),
    )
  }

  has(key: number): boolean {
    return isInCohort(key, this.seed, this.lease.cohort)
  }

  isTarget(node: CodeNode): boolean {
    return this.shadows.has(node.id)
  }

  /** Runs `task` when the fault ends, unless the returned function is called before. */
  onFaultEnd(task: () => void): () => void {
    this.atEnd.add(task)
    return () => this.atEnd.delete(task)
  }

  /**
   * Nodes that are gone, or were put elsewhere, are no part of it any more; those that came are.
   * @param home Its home as it is now; `undefined` where that is gone.
   */
  follow(home: Home | undefined): void {
    for (const [id, shadow] of this.shadows) {
      const real = this.parts.board.state(shadow.node)
      if (real === shadow.real) shadow.node = real.node
      else {
        this.shadows.delete(id)
        shadow.circuit[Symbol.dispose]()
      }
    }
    if (home !== undefined && (this.phase === 'ahead' || this.phase === 'fault')) this.takeIn(home)
    // What was not found out may have been the one that is gone.
    this.noteDetected()
  }

  /** Whether the gateway says that it hears from its registry. */
  hears(hears: boolean): void {
    this.isDeaf = !hears && this.lease.fault.kind === 'registry-loss'
    this.noteDetected()
  }

  /**
   * Ends the fault.
   * @param proven Nodes come back when they have proven well to the cohort, as after a real failure; else at once, by
   *   what is measured of them by all others. Ramped either way.
   */
  end(proven: boolean): void {
    if (this.phase === 'recovering' || this.phase === 'over') return
    const wasOn = this.phase === 'fault'
    this.phase = 'recovering'
    this.cancelLease()
    this.clearTimers()
    for (const shadow of this.shadows.values()) this.release(shadow, proven)
    if (wasOn) this.measures.first('faultOff', this.parts.wallNow())
    for (const task of this.atEnd) task()
    this.atEnd.clear()
    const { breaker, slowStart } = this.parts.nodeSettings()
    this.recoverBy =
      this.parts.clock.now() + slowStart.windowMs + (proven ? breaker.resetTimeoutMs + patienceMs : 0)
    if (wasOn) this.look()
    else this.finish()
  }

  [Symbol.dispose](): void {
    this.phase = 'over'
    this.cancelLease()
    this.clearTimers()
    this.atEnd.clear()
    for (const shadow of this.shadows.values()) shadow.circuit[Symbol.dispose]()
    this.witnesses[Symbol.dispose]()
    this.breakers[Symbol.dispose]()
  }

  /** Every node in scope is known to be bad to the cohort, or to have no part in what it is sent. */
  get isDetected(): boolean {
    return this.isDeaf || (this.shadows.size > 0 && [...this.shadows.values()].every(isKnownBad))
  }

  private takeIn(home: Home): void {
    const { scope, fault } = this.lease
    if (fault.kind === 'registry-loss') return
    for (const node of targetsOf(scope, home)) {
      const shadow = this.shadows.has(node.id) ? null : this.maker.make(node)
      if (shadow === null) continue
      shadow.stalled = () => this.stalled(node)
      this.shadows.set(node.id, shadow)
      if (this.phase === 'fault') this.meet(shadow)
    }
  }

  private faultOn(): void {
    this.phase = 'fault'
    this.measures.first('faultOn', this.parts.wallNow())
    for (const shadow of this.shadows.values()) this.meet(shadow)
    this.noteDetected()
  }

  private meet(shadow: ShadowState): void {
    const { fault } = this.lease
    shadow.fault = fault
    this.measures.ownTrips.watch(shadow.node.id)
    if (fault.kind === 'trip') shadow.hold = 'trip'
    else if (fault.kind === 'quota-cut') shadow.lendsOnly(fault.share * this.lease.cohort)
    // Who answers no request answers no probe either.
    else if (isUnprobed.has(fault.kind)) this.probe(shadow, { health: shadow.health, streak: 0 }, false)
  }

  /** Plays the prober: one that hears nothing good, or one that hears what the real one does. */
  private probe(shadow: ShadowState, state: ProbeState, hears: boolean): void {
    const settings = this.parts.probeSettings()
    const pause = nextProbeInMs(state, settings, Math.random())
    const waits = shadow.fault?.kind === 'blackhole' ? settings.timeoutMs : 0
    this.after(pause + waits, () => {
      if (this.shadows.get(shadow.node.id) !== shadow) return
      const next = afterProbe(state, hears && shadow.real.health !== 'down', settings)
      shadow.probed(next.health, hears ? 'probes answer well' : 'a drill lets probes fail')
      if (!hears || next.health === 'down') this.probe(shadow, next, hears)
    })
  }

  private release(shadow: ShadowState, proven: boolean): void {
    // Whose residents had stayed are not sent away now.
    if (isDownAlone(shadow)) this.measures.ownTrips.found(shadow.node.id, this.parts.wallNow(), 'probes')
    const hadLeft = isKnownBad(shadow) && shadow.fault?.kind !== 'quota-cut'
    shadow.fault = null
    shadow.hold = null
    shadow.donor.use(unbounded)
    if (!proven) {
      shadow.probed(shadow.real.health, 'the drill is over')
      shadow.forgive()
      if (hadLeft) shadow.rampFromNow()
    } else if (shadow.health === 'down' || isSilent(shadow)) {
      this.probe(shadow, { health: shadow.health, streak: 0 }, true)
    } else if (hadLeft && shadow.breaker === 'closed') shadow.rampFromNow()
  }

  private look(): void {
    if (!this.isDeaf && [...this.shadows.values()].every(isBack)) {
      this.measures.first('recovered', this.parts.wallNow())
      this.finish()
    } else if (this.parts.clock.now() >= this.recoverBy) this.finish()
    else this.after(lookEveryMs, () => this.look())
  }

  private finish(): void {
    this[Symbol.dispose]()
    this.whenOver()
  }

  /** @internal */
  breakerMoved(node: CodeNode, state: BreakerState): void {
    const at = this.parts.wallNow()
    if (state === 'open') {
      this.measures.first('breakerOpen', at)
      this.noteFound(node.id, 'breaker')
    }
    this.measures.happened({ at, node: node.id, what: `breaker ${state}`, real: false })
    this.noteDetected()
  }

  private stalled({ id }: CodeNode): void {
    if (this.phase !== 'fault' || this.isStalled.has(id)) return
    this.isStalled.add(id)
    this.measures.happened({ at: this.parts.wallNow(), node: id, what: 'stalled', real: false })
    this.noteDetected()
  }

  /** @internal */
  noteFound(node: NodeId, by: FoundBy): void {
    if (this.phase === 'fault') this.measures.ownTrips.found(node, this.parts.wallNow(), by)
  }

  /** @internal */
  noteDetected(): void {
    if (this.phase === 'fault' && this.isDetected) this.measures.first('detected', this.parts.wallNow())
  }

  private tellMove(before: DrillPhase | null, phase: DrillPhase): void {
    const { drill, home, fault } = this.lease
    this.parts.observer.drillMoved({ drill, home, fault: fault.kind, before, phase })
  }

  private after(delayMs: number, task: () => void): void {
    const cancel = this.parts.clock.after(delayMs, () => {
      this.timers.delete(cancel)
      task()
    })
    this.timers.add(cancel)
  }

  private clearTimers(): void {
    for (const cancel of this.timers) cancel()
    this.timers.clear()
  }
}
