// What the operators' routes work with.
import type { Config } from '../../config/schema.ts'
import type { AccessTokens } from '../control/access/tokens.ts'
import type { Sessions } from '../control/access/sessions.ts'
import type { Foreseen } from '../control/drills/facts.ts'
import type { Intent } from '../control/intent/read.ts'
import type { Registry } from '../control/registry/port.ts'
import type { EventLog } from '../control/events/event-log.ts'
import type { Versioned } from '../control/registry/typed.ts'
import type { Enrolment } from '../model/enrolment.ts'
import type { Drill, DrillPlan } from '../model/drill.ts'
import type { Hold } from '../model/hold.ts'
import type { Mode } from '../model/mode.ts'
import type { Measured } from '../model/readings.ts'
import type { Peers } from '../model/membership.ts'
import type { Region } from '../model/region.ts'
import type { Snapshot } from '../model/snapshot.ts'
import type { FaultBounds } from '../policy/drill-effect.ts'
import type { Paces } from '../policy/drill-guards.ts'
import type { DrillMeasures } from '../policy/drill-measure.ts'
import type { Desk } from './desk.ts'
import type { OneByOne } from '../control/one-by-one.ts'
import { Problem } from './problem.ts'

/** What the routes of drills work with beside the rest. */
export interface DrillPlane {
  /** @param others All drills that are known. */
  foresee(plan: DrillPlan, others: readonly Drill[]): Promise<Foreseen>
  /** From which on a fault is foreseen as more than slowness. */
  bounds(): FaultBounds
  /** What the gateway takes at the least. */
  paces(): Paces
  /** How long a drill is only measured before its fault, ms. */
  aheadMs(): number
  /** What is measured of a drill so far; `null` where nothing is, or not any more. */
  measures(drill: string): Promise<DrillMeasures | null>
}

export interface Plane {
  readonly drills: DrillPlane
  readonly registry: Registry
  readonly desk: Desk
  readonly tokens: AccessTokens
  readonly sessions: Sessions
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number
  /** What the router sees. */
  snapshot(): Snapshot
  /** All regions, whether they have nodes or not. */
  regions(): readonly Region[]
  /** What drains of enrolments come to: holds that nobody has put. */
  drains(): readonly Hold[]
  /** The file's regions alone, without enrolments. */
  fileRegions(): readonly Region[]
  /** All enrolments, as the registry has them. @throws {RegistryUnavailable} */
  enrolments(): Promise<readonly Versioned<Enrolment>[]>
  readonly events: EventLog
  /** What operators have decided, as the router goes by it. */
  intent(): Intent
  /** Reads anew what operators have decided, so that all else here goes by it. @throws {RegistryUnavailable} */
  hearAgain(): Promise<void>
  /** Changes that guards judge. */
  readonly guarded: OneByOne
  readonly measured: Measured
  /** The gateways of the federation; `null` where it has no others. */
  peers(): Peers | null
  /** The settings that would be in force in that mode. */
  inMode(mode: Mode): Config
  /** The mode that the configuration file names. */
  fileMode(): Mode
}

/**
 * @param ifMatch Version that the client saw; `null` for any.
 * @throws {Problem} `stale`
 */
export function mustMatch(version: number, ifMatch: number | null, target: string): void {
  if (ifMatch !== null && ifMatch !== version) {
    throw new Problem(
      'stale',
      `${target} has been changed since: it is at version ${version}; read it again, and decide anew`,
    )
  }
}

/** RFC 3339 of wall-clock milliseconds. */
export const timeText = (wallMs: number): string => new Date(wallMs).toISOString()
