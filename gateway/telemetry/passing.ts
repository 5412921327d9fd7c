// An observer that tells another one everything; whoever wants to hear some of it extends it.
import type {
  AttemptKind,
  BreakerState,
  Health,
  Observer,
  Refusal,
  ProtectionName,
  RequestOutcome,
  ShedReason,
} from '../model/events.ts'
import type { Hold, HoldStep } from '../model/hold.ts'
import type { DrillGroup, DrillMove } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { Outcome } from '../model/outcome.ts'
import type { CodeNode } from '../model/region.ts'
import type { RouteClass } from '../model/route-class.ts'
import type { Home, Level } from '../model/snapshot.ts'

export class Passing implements Observer {
  protected readonly to: Observer

  constructor(to: Observer) {
    this.to = to
  }

  requestBegan(home: Home): void {
    this.to.requestBegan(home)
  }

  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    this.to.requestEnded(home, level, outcome, durationMs)
  }

  requestRefused(refusal: Refusal): void {
    this.to.requestRefused(refusal)
  }

  requestShed(home: Home, routeClass: RouteClass, reason: ShedReason): void {
    this.to.requestShed(home, routeClass, reason)
  }

  lastGoodServed(home: Home, routeClass: RouteClass): void {
    this.to.lastGoodServed(home, routeClass)
  }

  requestCoalesced(home: Home, routeClass: RouteClass): void {
    this.to.requestCoalesced(home, routeClass)
  }

  attemptStarted(node: CodeNode, kind: AttemptKind): void {
    this.to.attemptStarted(node, kind)
  }

  attemptEnded(node: CodeNode, outcome: Outcome): void {
    this.to.attemptEnded(node, outcome)
  }

  budgetSpent(budget: 'retry' | 'hedge'): void {
    this.to.budgetSpent(budget)
  }

  streamOpened(): void {
    this.to.streamOpened()
  }

  streamClosed(): void {
    this.to.streamClosed()
  }

  healthChanged(node: CodeNode, health: Health, detail: string): void {
    this.to.healthChanged(node, health, detail)
  }

  readinessChanged(node: CodeNode, notReadyFor: ReadonlySet<RegionId>): void {
    this.to.readinessChanged(node, notReadyFor)
  }

  readinessUnreadable(node: CodeNode, why: string, isNew: boolean): void {
    this.to.readinessUnreadable(node, why, isNew)
  }

  breakerChanged(node: CodeNode, state: BreakerState): void {
    this.to.breakerChanged(node, state)
  }

  internalError(cause: unknown): void {
    this.to.internalError(cause)
  }

  protectionChanged(level: ProtectionName, reason: string): void {
    this.to.protectionChanged(level, reason)
  }

  residentSeen(home: Home, key: number, now: number): void {
    this.to.residentSeen(home, key, now)
  }

  holdChanged(hold: Hold, step: HoldStep): void {
    this.to.holdChanged(hold, step)
  }

  modeSet(mode: Mode, before: Mode | null): void {
    this.to.modeSet(mode, before)
  }

  drillMoved(move: DrillMove): void {
    this.to.drillMoved(move)
  }

  drillRequestEnded(home: RegionId, group: DrillGroup, failed: boolean): void {
    this.to.drillRequestEnded(home, group, failed)
  }

  snapshotApplied(version: number, regions: number, nodes: number): void {
    this.to.snapshotApplied(version, regions, nodes)
  }

  reloadRefused(what: 'configuration' | 'certificate', detail: string): void {
    this.to.reloadRefused(what, detail)
  }

  registryLost(detail: string): void {
    this.to.registryLost(detail)
  }

  registryBack(): void {
    this.to.registryBack()
  }

  catalogueLost(datacenter: string, detail: string): void {
    this.to.catalogueLost(datacenter, detail)
  }

  catalogueRead(datacenter: string, nodes: number): void {
    this.to.catalogueRead(datacenter, nodes)
  }
}
