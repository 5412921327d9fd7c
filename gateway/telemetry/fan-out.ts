// One observer that tells two, the first first.
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
import type { DrillGroup, DrillMove } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import type { Hold, HoldStep } from '../model/hold.ts'
import type { Mode } from '../model/mode.ts'
import type { Outcome } from '../model/outcome.ts'
import type { CodeNode } from '../model/region.ts'
import type { RouteClass } from '../model/route-class.ts'
import type { Home, Level } from '../model/snapshot.ts'

export class FanOut implements Observer {
  private readonly a: Observer
  private readonly b: Observer

  constructor(a: Observer, b: Observer) {
    this.a = a
    this.b = b
  }

  requestBegan(home: Home): void {
    this.a.requestBegan(home)
    this.b.requestBegan(home)
  }

  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    this.a.requestEnded(home, level, outcome, durationMs)
    this.b.requestEnded(home, level, outcome, durationMs)
  }

  requestRefused(refusal: Refusal): void {
    this.a.requestRefused(refusal)
    this.b.requestRefused(refusal)
  }

  requestShed(home: Home, routeClass: RouteClass, reason: ShedReason): void {
    this.a.requestShed(home, routeClass, reason)
    this.b.requestShed(home, routeClass, reason)
  }

  lastGoodServed(home: Home, routeClass: RouteClass): void {
    this.a.lastGoodServed(home, routeClass)
    this.b.lastGoodServed(home, routeClass)
  }

  requestCoalesced(home: Home, routeClass: RouteClass): void {
    this.a.requestCoalesced(home, routeClass)
    this.b.requestCoalesced(home, routeClass)
  }

  attemptStarted(node: CodeNode, kind: AttemptKind): void {
    this.a.attemptStarted(node, kind)
    this.b.attemptStarted(node, kind)
  }

  attemptEnded(node: CodeNode, outcome: Outcome): void {
    this.a.attemptEnded(node, outcome)
    this.b.attemptEnded(node, outcome)
  }

  budgetSpent(budget: 'retry' | 'hedge'): void {
    this.a.budgetSpent(budget)
    this.b.budgetSpent(budget)
  }

  streamOpened(): void {
    this.a.streamOpened()
    this.b.streamOpened()
  }

  streamClosed(): void {
    this.a.streamClosed()
    this.b.streamClosed()
  }

  healthChanged(node: CodeNode, health: Health, detail: string): void {
    this.a.healthChanged(node, health, detail)
    this.b.healthChanged(node, health, detail)
  }

  readinessChanged(node: CodeNode, notReadyFor: ReadonlySet<RegionId>): void {
    this.a.readinessChanged(node, notReadyFor)
    this.b.readinessChanged(node, notReadyFor)
  }

  readinessUnreadable(node: CodeNode, why: string, isNew: boolean): void {
    this.a.readinessUnreadable(node, why, isNew)
    this.b.readinessUnreadable(node, why, isNew)
  }

  breakerChanged(node: CodeNode, state: BreakerState): void {
    this.a.breakerChanged(node, state)
    this.b.breakerChanged(node, state)
  }

  internalError(cause: unknown): void {
    this.a.internalError(cause)
    this.b.internalError(cause)
  }

  protectionChanged(level: ProtectionName, reason: string): void {
    this.a.protectionChanged(level, reason)
    this.b.protectionChanged(level, reason)
  }

  residentSeen(home: Home, key: number, now: number): void {
    this.a.residentSeen(home, key, now)
    this.b.residentSeen(home, key, now)
  }

  modeSet(mode: Mode, before: Mode | null): void {
    this.a.modeSet(mode, before)
    this.b.modeSet(mode, before)
  }

  holdChanged(hold: Hold, step: HoldStep): void {
    this.a.holdChanged(hold, step)
    this.b.holdChanged(hold, step)
  }

  drillMoved(move: DrillMove): void {
    this.a.drillMoved(move)
    this.b.drillMoved(move)
  }

  drillRequestEnded(home: RegionId, group: DrillGroup, failed: boolean): void {
    this.a.drillRequestEnded(home, group, failed)
    this.b.drillRequestEnded(home, group, failed)
  }

  snapshotApplied(version: number, regions: number, nodes: number): void {
    this.a.snapshotApplied(version, regions, nodes)
    this.b.snapshotApplied(version, regions, nodes)
  }

  reloadRefused(what: 'configuration' | 'certificate', detail: string): void {
    this.a.reloadRefused(what, detail)
    this.b.reloadRefused(what, detail)
  }

  registryLost(detail: string): void {
    this.a.registryLost(detail)
    this.b.registryLost(detail)
  }

  registryBack(): void {
    this.a.registryBack()
    this.b.registryBack()
  }

  catalogueLost(datacenter: string, detail: string): void {
    this.a.catalogueLost(datacenter, detail)
    this.b.catalogueLost(datacenter, detail)
  }

  catalogueRead(datacenter: string, nodes: number): void {
    this.a.catalogueRead(datacenter, nodes)
    this.b.catalogueRead(datacenter, nodes)
  }
}
