// A drill: a fault put upon a share of residents' requests on purpose, bounded in scope and time, and what came of it.
import type { NodeId, RegionId } from './ids.ts'
import type { LevelName } from './region.ts'

/**
 * `draft`, `previewed`, `approved`, `scheduled`: nothing happens yet. `running`: its lease is in the registry.
 * `restoring`: the fault is off and nodes are trusted again step by step. `reported`: over, ended by time.
 * `aborted`: over, ended before its time; it has a report too where it ran. `refused`: an approver said no.
 */
export const drillStates = [
  'draft',
  'previewed',
  'approved',
  'scheduled',
  'running',
  'restoring',
  'reported',
  'refused',
  'aborted',
] as const
export type DrillState = (typeof drillStates)[number]

/**
 * What the cohort meets at the nodes in scope:
 * - `trip`: nothing is sent to them, as under a hold;
 * - `blackhole`: nothing comes back, as from a frozen node;
 * - `refuse`: connections are refused;
 * - `latency`: requests leave `ms` later, give or take up to `jitterMs`;
 * - `errors`: a `share` of requests, 0 to 1, is answered with `status`, 500 to 599;
 * - `probe-fail`: probes fail, requests would not;
 * - `quota-cut`: the regions of the nodes lend only `share`, 0 to 1, of what they agreed to;
 * - `registry-loss`: the gateway no longer hears from its registry. It has no cohort.
 */
export type Fault =
  | { readonly kind: 'trip' }
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'errors'; readonly share: number; readonly status: number }
  | { readonly kind: 'probe-fail' }
  | { readonly kind: 'quota-cut'; readonly share: number }
  | { readonly kind: 'registry-loss' }
export type FaultKind = Fault['kind']

/** Nodes that meet the fault, of those that a home's levels name: any that one of the three lists names. */
export interface FaultScope {
  readonly regions: readonly RegionId[]
  readonly nodes: readonly NodeId[]
  readonly levels: readonly LevelName[]
}

/** Whose residents' requests, and at which nodes. */
export interface DrillScope extends FaultScope {
  /** Home regions whose residents take part, at least one. */
  readonly homes: readonly RegionId[]
}

/** What shall be held, each `null` where nothing is promised. Times in ms, shares from 0 to 1. */
export interface Objectives {
  /** From the fault until every node in scope is known to be bad. */
  readonly detectMs: number | null
  /** From the fault until the last request that it could reach is answered. */
  readonly shiftMs: number | null
  /** From the end of the fault until all residents are served at home again. */
  readonly recoverMs: number | null
  /** Requests of the cohort that residents saw fail, beyond those of the control. */
  readonly errorShare: number | null
  /** p99 of the cohort's requests while the fault lasted, less that of the control's. */
  readonly addedP99Ms: number | null
}

/** What ends a drill at once, measured over the last ten seconds; see {@link Objectives} for the units. */
export interface StopConditions {
  readonly errorShare: number
  readonly addedP99Ms: number | null
}

/** A weekly window in which it may begin, in China Standard Time. */
export interface WeeklyWindow {
  /** 0 is Sunday. */
  readonly weekday: number
  /** Minutes after midnight, 0 to 1440; `to` is after `from`. */
  readonly from: number
  readonly to: number
}

export type Schedule =
  /** Wall-clock milliseconds since 1970. */
  | { readonly kind: 'once'; readonly at: number }
  | {
      readonly kind: 'weekly'
      readonly windows: readonly WeeklyWindow[]
      /** `YYYY-MM-DD` on which it does not begin. */
      readonly blocked: readonly string[]
    }

/** What somebody asks for. */
export interface DrillPlan {
  readonly name: string
  readonly reason: string
  readonly scope: DrillScope
  readonly fault: Fault
  /** Share of residents that take part, above 0 to 1; the others of these homes are the control. */
  readonly cohort: number
  /** How long the fault lasts. */
  readonly seconds: number
  readonly objectives: Objectives
  readonly stop: StopConditions
  /** `null`: somebody starts it. */
  readonly schedule: Schedule | null
}

export interface Person {
  readonly id: string
  /** Two tokens of one person carry one name. */
  readonly name: string
}

/**
 * Why a drill that ran has ended: by `time`, by its `owner`, by the `lever` that stops all, by a stop condition
 * (`errors`, `latency`), because a node `failed` that was not in scope or failed by itself, because somebody declared an
 * `emergency` meanwhile, because nobody renewed its lease (`interrupted`), or because it could not be `measured` any more.
 */
export const drillEndings = [
  'time',
  'owner',
  'lever',
  'errors',
  'latency',
  'failed',
  'emergency',
  'interrupted',
  'measured',
] as const
export type DrillEnding = (typeof drillEndings)[number]

/** When a drill ran, wall-clock milliseconds since 1970. */
export interface DrillRun {
  readonly startedAt: number
  /** Until then the cohort is only measured, so that breakers know it as they know everybody. */
  readonly faultAt: number
  /** When the fault is to end. */
  readonly endsAt: number
  /** Names of the guards that objected and were overruled by whoever began it. */
  readonly overruled: readonly string[]
  readonly endedAt: number | null
  readonly ending: DrillEnding | null
  /** In words: which node, which figure. Empty where there is nothing to say. */
  readonly detail: string
}

export interface Drill extends DrillPlan {
  /** Unique in the federation. */
  readonly id: string
  readonly owner: Person
  readonly state: DrillState
  readonly createdAt: number
  /** Who approved or refused it; `null` where nobody did. */
  readonly approver: Person | null
  /** When its state changed last. */
  readonly changedAt: number
  /** When it shall begin by its schedule; `null` where it is not scheduled. */
  readonly nextAt: number | null
  readonly run: DrillRun | null
}

/**
 * How far one home's part in a drill is in one process. `ahead`: measured only; `fault`: on; `recovering`: off, nodes come
 * back as they would; `over`: nobody is in it any more.
 */
export type DrillPhase = 'ahead' | 'fault' | 'recovering' | 'over'

/** Residents who take part, and those beside them who do not. */
export type DrillGroup = 'cohort' | 'control'

export interface DrillMove {
  readonly drill: string
  readonly home: RegionId
  readonly fault: FaultKind
  /** `null` where it has only begun. */
  readonly before: DrillPhase | null
  readonly phase: DrillPhase
}

/**
 * One home's part in a drill that is on: a lease in the registry. There is one for each home, so that the registry
 * itself lets no second one begin. A gateway acts upon it only until `expiresAt`, which whoever runs it puts off.
 */
export interface DrillLease {
  readonly drill: string
  readonly home: RegionId
  readonly scope: FaultScope
  readonly fault: Fault
  readonly cohort: number
  readonly startedAt: number
  readonly faultAt: number
  readonly endsAt: number
  readonly expiresAt: number
}
