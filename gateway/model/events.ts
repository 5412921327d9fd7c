// What happens in the gateway, as seen by whoever counts or logs it. Code calls, telemetry listens.
import type { DrillGroup, DrillMove } from './drill.ts'
import type { RegionId } from './ids.ts'
import type { Hold, HoldStep } from './hold.ts'
import type { Mode } from './mode.ts'
import type { Outcome } from './outcome.ts'
import type { CodeNode } from './region.ts'
import type { RouteClass } from './route-class.ts'
import type { Home, Level } from './snapshot.ts'

/**
 * How a request ended for the resident:
 * `ok` (a whole answer, whatever its status), `upstream-error` (a node's 5xx passed on),
 * `refused` (turned away by us with a 4xx), `shed` (no place found in time),
 * `last-good` (every level failed, answered from what was kept), `unavailable` (no level could answer),
 * `cut` (the answer broke midway), `client-left`.
 */
export type RequestOutcome =
  | 'ok'
  | 'upstream-error'
  | 'refused'
  | 'shed'
  | 'last-good'
  | 'unavailable'
  | 'cut'
  | 'client-left'

/**
 * Why a request was turned away in a crowd: its `class` stands back, the `queue` would have taken too long,
 * or the process has to save itself (`protection`).
 */
export type ShedReason = 'class' | 'queue' | 'protection'

/** Why a request was turned away before any node was asked. */
export type Refusal =
  | 'bad-framing'
  | 'bad-host'
  | 'bad-target'
  | 'unknown-host'
  | 'unknown-home'
  | 'method'
  | 'upgrade'
  | 'headers-too-large'
  | 'too-many-headers'
  | 'uri-too-long'
  | 'body-too-large'
  | 'slow-headers'
  | 'slow-body'
  | 'too-many-connections'
  | 'too-many-streams'
  | 'loop'
  | 'too-many-hops'
  | 'expectation'
  // Document numbers, where they are turned into tokens: one that is wrong, one where none may be, and a body that
  // can't be looked through.
  | 'document-number'
  | 'document-misplaced'
  | 'body-type'
  | 'body-json'

export type AttemptKind = 'first' | 'retry' | 'hedge'

/** Least first. */
export type ProtectionName = 'normal' | 'eased' | 'shedding' | 'closed'

export type Health = 'up' | 'down' | 'unknown'
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Listeners must not throw; hot-path methods take plain arguments so that nothing is allocated for them. */
export interface Observer {
  /** A request has a home and goes on to the nodes. Followed by exactly one `requestEnded`. */
  requestBegan(home: Home): void
  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void
  requestRefused(refusal: Refusal): void
  /** Turned away for lack of room. */
  requestShed(home: Home, routeClass: RouteClass, reason: ShedReason): void
  /** Every level failed; it got what was its own last good answer. */
  lastGoodServed(home: Home, routeClass: RouteClass): void
  /** It is answered by an upstream request that was under way already. */
  requestCoalesced(home: Home, routeClass: RouteClass): void
  attemptStarted(node: CodeNode, kind: AttemptKind): void
  attemptEnded(node: CodeNode, outcome: Outcome): void
  budgetSpent(budget: 'retry' | 'hedge'): void
  streamOpened(): void
  streamClosed(): void
  healthChanged(node: CodeNode, health: Health, detail: string): void
  /** The homes that the node says it can't answer for, of those served here. */
  readinessChanged(node: CodeNode, notReadyFor: ReadonlySet<RegionId>): void
  /** What it said of homes can't be believed and counts for nothing. `isNew` when what it said before could be. */
  readinessUnreadable(node: CodeNode, why: string, isNew: boolean): void
  breakerChanged(node: CodeNode, state: BreakerState): void
  /** A fault of our own met by a request. */
  internalError(cause: unknown): void
  /** The process began, or went further, or ceased to save itself. */
  protectionChanged(level: ProtectionName, reason: string): void
  /** A request of a known resident; `key` is the keyed hash. */
  residentSeen(home: Home, key: number, now: number): void
  /** A mode is in force, from the start or by a change. */
  modeSet(mode: Mode, before: Mode | null): void
  /** An operator's hold came into force, was changed, was ended or ran out. */
  holdChanged(hold: Hold, step: HoldStep): void
  /** A home's part in a drill has moved on in this process. */
  drillMoved(move: DrillMove): void
  /** A request of a home that has a drill on; `failed` where its resident saw it fail. */
  drillRequestEnded(home: RegionId, group: DrillGroup, failed: boolean): void
  snapshotApplied(version: number, regions: number, nodes: number): void
  reloadRefused(what: 'configuration' | 'certificate', detail: string): void
  registryLost(detail: string): void
  registryBack(): void
  /** @param datacenter `local` for the agent's own. */
  catalogueLost(datacenter: string, detail: string): void
  /** @param nodes That it lists and that can be used. */
  catalogueRead(datacenter: string, nodes: number): void
}
