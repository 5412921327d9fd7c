// What is measured of nodes, homes and the gateway at a moment: plain values that fit into JSON.
import type { BreakerState, Health, ProtectionName } from './events.ts'
import type { HoldKind } from './hold.ts'
import type { NodeId, RegionId } from './ids.ts'
import type { Mode } from './mode.ts'
import type { Verdict } from './outcome.ts'
import type { QuotaSharing } from './quota-sharing.ts'
import type { LevelName } from './region.ts'

/** Over which rates are measured, seconds. */
export const ratesOverSeconds = 10

/**
 * What a node's limit rests on:
 * - `declared`: its enrolment or the configuration file;
 * - `reported`: its own load report;
 * - `learnt`: measured, it was seen to slow down or to refuse beyond it;
 * - `unproven`: nothing has shown yet how much it can take; the limit in force is where learning stands.
 */
export const limitBases = ['declared', 'reported', 'learnt', 'unproven'] as const
export type LimitBasis = (typeof limitBases)[number]

export interface NodeReadings {
  readonly node: NodeId
  readonly region: RegionId
  readonly health: Health
  /** What the last change of `health` was for; empty before the first probe. */
  readonly healthDetail: string
  readonly breaker: BreakerState
  /** Homes that it says it can't answer for now. */
  readonly notReadyFor: readonly RegionId[]
  /** The half-open breaker's one trial is under way. */
  readonly trialUnderWay: boolean
  /** It has waited long enough for a request that could be moved: any other may be the trial. */
  readonly trialOverdue: boolean
  /** Attempts in a row that passed their hedge delay while the node answered nothing at all. */
  readonly silentOverdue: number
  readonly hold: HoldKind | null
  readonly inFlight: number
  /** Requests that it may have open now; `null`: not bounded. */
  readonly limit: number | null
  /** Requests that it can have open by what is known of it; `null`: nothing is. */
  readonly knownLimit: number | null
  readonly limitBasis: LimitBasis
  /** Share of its limit kept for its own region's residents, 0 to 1. */
  readonly homeReserve: number
  /** Its region has lent as much as it agreed to. */
  readonly quotaSpent: boolean
  /** It asked to be left alone for now. */
  readonly pausing: boolean
  /** Share of its usual residents that it takes while it is ramped back, 0 to 1. */
  readonly ramp: number
  /** Of its answers of the last 10 to 20 s; `null`: there were none. */
  readonly p99Ms: number | null
  /** The same; within 5 %. */
  readonly meanMs: number | null
  /** How long an answer takes while it is not busy, as it was last learnt, however long ago; `null`: never. */
  readonly easeMs: number | null
  /** Peak-EWMA of its latency, failures counted in as slow, ms. */
  readonly costMs: number
  /** Tries that ended a second, whatever came of them. */
  readonly rps: number
  /** May it be tried for its own region's residents? A ramp is not told by this but by `ramp`. */
  readonly serving: Verdict
  /** The same for other regions' residents. */
  readonly lending: Verdict
}

/** Requests of one home that one level ended, a second. */
export interface LevelRate {
  /** `none`: no level could answer, or there was no room. */
  readonly level: LevelName | 'none'
  readonly region: RegionId | null
  readonly rps: number
}

export interface HomeReadings {
  readonly home: RegionId
  /** Requests that ended a second, however they ended; what was wrong in itself (4xx of our own) is not counted. */
  readonly rps: number
  /** Those that rates are known of, the busiest first. */
  readonly byLevel: readonly LevelRate[]
  /** Answers a second that residents saw fail: a node's 5xx, nothing at all, or half an answer. */
  readonly errorsPerSecond: number
  /** Requests turned away for lack of room, a second. */
  readonly shedPerSecond: number
}

export interface RegistryLoss {
  /** Wall-clock milliseconds since 1970. */
  readonly since: number
  readonly detail: string
}

export interface GatewayReadings {
  readonly id: string
  readonly version: string
  /** Of the snapshot in force; workers each count their own, and the highest is told. */
  readonly snapshotVersion: number
  readonly mode: Mode
  /** `null` while the registry can be heard. */
  readonly registryLost: RegistryLoss | null
  /** Donors' quotas shared with other gateways; `null` where there are no others, and in what a worker tells. */
  readonly quotaSharing: QuotaSharing | null
  /** The highest of all workers. */
  readonly protection: ProtectionName
  readonly workers: {
    /** Those that what is told here comes from. */
    readonly ready: number
    readonly of: number
    /** Places of those that did not answer in time; nothing of theirs is in the rates. */
    readonly missing: readonly number[]
  }
  readonly uptimeSeconds: number
}

export interface Readings {
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
  readonly gateway: GatewayReadings
  readonly nodes: readonly NodeReadings[]
  /** Homes with requests in the last 10 s. */
  readonly homes: readonly HomeReadings[]
}

/** Whoever can tell what is measured: one process of itself, a primary of all its workers. */
export interface Measured {
  /** Never rejects for a worker that is silent: it is told as missing. */
  read(): Promise<Readings>
}
