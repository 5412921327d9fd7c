// What operators are told as it happens: changes of state, never a request or a resident.
import type { DrillState } from './drill.ts'
import type { BreakerState, Health, ProtectionName } from './events.ts'
import type { Hold, HoldStep } from './hold.ts'
import type { NodeId, RegionId } from './ids.ts'
import type { Mode } from './mode.ts'
import type { LevelName } from './region.ts'

export type Severity = 'info' | 'warn' | 'error'

export type Happening =
  | {
      readonly kind: 'health'
      readonly node: NodeId
      readonly region: RegionId
      readonly health: Health
      readonly detail: string
    }
  | {
      readonly kind: 'breaker'
      readonly node: NodeId
      readonly region: RegionId
      readonly state: BreakerState
    }
  /** The homes that a node says it can't answer for now, none where it is ready for all. */
  | {
      readonly kind: 'readiness'
      readonly node: NodeId
      readonly region: RegionId
      readonly notReadyFor: readonly RegionId[]
    }
  /** Another level gives a home most of its answers; `none`: none does. */
  | {
      readonly kind: 'shift'
      readonly home: RegionId
      readonly level: LevelName | 'none'
      readonly region: RegionId | null
      /** It goes to and fro: so often since it was told last. */
      readonly changes: number
      readonly swings: boolean
    }
  | { readonly kind: 'hold'; readonly step: HoldStep; readonly hold: Hold }
  | { readonly kind: 'mode'; readonly mode: Mode }
  | {
      readonly kind: 'snapshot'
      readonly version: number
      readonly regions: number
      readonly nodes: number
    }
  | { readonly kind: 'registry'; readonly up: boolean; readonly detail: string }
  /** Requests of a home begin to be turned away for lack of room. */
  | { readonly kind: 'shedding'; readonly home: RegionId }
  | { readonly kind: 'protection'; readonly level: ProtectionName; readonly reason: string }
  | {
      readonly kind: 'enrolment'
      readonly enrolment: string
      readonly donor: RegionId
      /** Such as `approved`, `active`, `withdrawn`. */
      readonly step: string
    }
  | {
      readonly kind: 'drill'
      readonly drill: string
      readonly homes: readonly RegionId[]
      readonly step: DrillTold
    }
  | {
      readonly kind: 'reload-refused'
      readonly what: 'configuration' | 'certificate'
      readonly detail: string
    }

/**
 * What a drill has come to: a state, told where it was decided, or its fault in one home, told by every gateway that takes
 * part: `over` once nobody is in it any more.
 */
export type DrillTold = DrillState | 'fault-on' | 'fault-off' | 'over'

export type HappeningKind = Happening['kind']

/** A happening as operators see it. */
export interface OperatorEvent {
  /** `epoch-seq`: the gateway's start and a number that counts up from 1. */
  readonly id: string
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
  readonly severity: Severity
  /** What it is about, for filters; `null` where it is about none. */
  readonly region: RegionId | null
  readonly node: NodeId | null
  readonly home: RegionId | null
  readonly message: { readonly zh: string; readonly en: string }
  /** Workers that have seen the same so far; whoever follows is told once, at the first. */
  readonly seenBy: number
  readonly happening: Happening
}

/** What comes to whoever follows the events. */
export type Delivery =
  | { readonly type: 'event'; readonly event: OperatorEvent }
  /** Events are missing before what comes next: so many, or an unknown number after a restart. */
  | { readonly type: 'gap'; readonly missed: number | null }
