// What happens to the requests of a drill's cohort and of the control beside it, counted and passed on.
import type { DrillGroup } from '../../model/drill.ts'
import type { AttemptKind, Observer, RequestOutcome } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { CodeNode } from '../../model/region.ts'
import type { RouteClass } from '../../model/route-class.ts'
import type { Home, Level } from '../../model/snapshot.ts'
import { type Group, isVisibleError, type MeasuresInTheMaking } from '../../policy/drill-measure.ts'
import { isKeptOff } from '../../policy/drill-own-trips.ts'
import { blameOf } from '../../policy/outcome.ts'
import { Passing } from '../../telemetry/passing.ts'
import type { Rehearsal } from './rehearsal.ts'

class GroupObserver extends Passing {
  protected readonly measures: MeasuresInTheMaking
  protected readonly group: Group
  private readonly name: DrillGroup
  protected readonly wallNow: () => number

  constructor(to: Observer, measures: MeasuresInTheMaking, group: Group, wallNow: () => number) {
    super(to)
    this.measures = measures
    this.group = group
    this.name = group === measures.cohort ? 'cohort' : 'control'
    this.wallNow = wallNow
  }

  override requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    super.requestEnded(home, level, outcome, durationMs)
    const served =
      level === null ? (outcome === 'last-good' ? outcome : 'none') : `${level.name} ${level.region}`
    this.group.ended(served, outcome, durationMs, this.wallNow(), this.measures.isFaultOn)
    this.drillRequestEnded(home.region.code, this.name, isVisibleError(outcome))
  }

  override requestCoalesced(home: Home, routeClass: RouteClass): void {
    super.requestCoalesced(home, routeClass)
    this.group.joined()
  }

  override attemptStarted(node: CodeNode, kind: AttemptKind): void {
    super.attemptStarted(node, kind)
    this.group.tried(kind)
  }

  /** Counts what a breaker counts. */
  protected heard({ id }: CodeNode, outcome: Outcome): void {
    const blame = blameOf(outcome)
    if (blame !== 'neutral') this.measures.ownTrips.heard(id, blame === 'failure')
  }
}

export class ControlObserver extends GroupObserver {
  /** What becomes of nodes that the cohort is kept off; `null` where the cohort meets them itself. */
  private readonly keptOff: Rehearsal | null

  constructor(to: Observer, rehearsal: Rehearsal, wallNow: () => number) {
    const { measures, lease } = rehearsal
    super(to, measures, measures.control, wallNow)
    this.keptOff = isKeptOff(lease.fault.kind) ? rehearsal : null
  }

  override attemptEnded(node: CodeNode, outcome: Outcome): void {
    super.attemptEnded(node, outcome)
    if (this.keptOff?.isTarget(node) !== true) return
    if (this.keptOff.phase === 'fault') this.heard(node, outcome)
    this.keptOff.witnesses.heard(node.id, outcome)
  }
}

export class CohortObserver extends GroupObserver {
  private readonly rehearsal: Rehearsal

  constructor(to: Observer, rehearsal: Rehearsal, wallNow: () => number) {
    super(to, rehearsal.measures, rehearsal.measures.cohort, wallNow)
    this.rehearsal = rehearsal
  }

  override requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    super.requestEnded(home, level, outcome, durationMs)
    const { measures, rehearsal } = this
    if (rehearsal.phase !== 'fault') return
    const at = this.wallNow()
    const detected = measures.at('detected')
    if (detected !== undefined && at - durationMs <= detected) measures.last('shifted', at)
    const isMet =
      detected !== undefined || measures.at('firstFailure') !== undefined || this.isCut(at - durationMs)
    const isElsewhere = level?.nodes.some((node) => !rehearsal.isTarget(node)) === true
    if (isMet && isElsewhere && outcome === 'ok') measures.first('firstElsewhere', at)
  }

  /** Where a quota is cut no node fails: whoever began under it and went elsewhere was sent there by it. */
  private isCut(begunAt: number): boolean {
    const { measures, rehearsal } = this
    return rehearsal.lease.fault.kind === 'quota-cut' && begunAt >= (measures.at('faultOn') ?? Infinity)
  }

  /** What a fault swallows is no attempt at a node; what is sent to one in scope is told by its shadow. */
  override attemptStarted(node: CodeNode, kind: AttemptKind): void {
    if (this.rehearsal.isTarget(node)) this.group.tried(kind)
    else super.attemptStarted(node, kind)
  }

  override attemptEnded(node: CodeNode, outcome: Outcome): void {
    if (!this.rehearsal.isTarget(node)) {
      super.attemptEnded(node, outcome)
      return
    }
    const { measures, rehearsal } = this
    if (rehearsal.phase === 'fault' && !isKeptOff(rehearsal.lease.fault.kind)) this.heard(node, outcome)
    if (rehearsal.phase === 'fault' && blameOf(outcome) === 'failure') {
      measures.first('firstFailure', this.wallNow())
    }
    if (rehearsal.phase === 'recovering' && outcome === 'answered')
      measures.first('firstHome', this.wallNow())
  }
}
