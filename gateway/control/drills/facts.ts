// What is known when somebody asks whether a drill may begin.
import type { Drill, DrillPlan } from '../../model/drill.ts'
import type { Hold } from '../../model/hold.ts'
import type { Mode } from '../../model/mode.ts'
import type { Measured } from '../../model/readings.ts'
import type { Region } from '../../model/region.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import type { FaultBounds } from '../../policy/drill-effect.ts'
import { blastRadius, type DrillFacts, type DrillSettings } from '../../policy/drill-guards.ts'
import { guardDefaults } from '../../policy/guards.ts'
import type { Intent } from '../intent/read.ts'
import { preview, type Preview, trafficOf } from '../preview.ts'

export interface FactsParts {
  snapshot(): Snapshot
  regions(): readonly Region[]
  intent(): Intent
  readonly measured: Measured
  /** What drains of enrolments come to: holds that nobody has put. */
  drains(): readonly Hold[]
  bounds(): FaultBounds
  settings(): DrillSettings
  /** The mode that the configuration file names. */
  fileMode(): Mode
  /** Share of requests that keep donors warm in that mode. */
  warmShare(mode: Mode): number
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number
  /** Whether what a drill does is measured where it is run. */
  readonly isMeasured: boolean
}

export type Foreseen = DrillFacts & { readonly settings: DrillSettings; readonly preview: Preview }

/** @param others All drills that are known, this one included or not. */
export async function factsOf(
  plan: DrillPlan,
  others: readonly Drill[],
  parts: FactsParts,
): Promise<Foreseen> {
  const readings = await parts.measured.read()
  const snapshot = parts.snapshot()
  const { holds, mode, drillLever } = parts.intent()
  const radius = blastRadius(plan, snapshot, trafficOf(readings))
  const now = parts.wallNow()
  const { homes, ...scope } = plan.scope
  const { fault, cohort } = plan
  // Of a home that has one already another does not begin.
  const on = snapshot.drills.filter(({ home }) => !homes.includes(home))
  const asked = homes.map((home) => ({ home, scope, fault, cohort }))
  const settings = parts.settings()
  const { minLevels, minRoomShare } = settings
  const foreseen = preview([], {
    input: { regions: parts.regions(), holds: [...holds, ...parts.drains()], mode },
    readings,
    ownMode: parts.fileMode(),
    warmShare: (of) => parts.warmShare(of),
    guardSettings: { ...guardDefaults, minLevels, minRoomShare },
    drills: { before: on, after: [...on, ...asked], bounds: parts.bounds() },
  })
  return {
    now,
    settings,
    mode: mode ?? parts.fileMode(),
    isLeverSet: drillLever !== null,
    isMeasured: parts.isMeasured,
    snapshot,
    nodes: readings.nodes,
    radius,
    guards: foreseen.guards,
    others,
    preview: foreseen,
  }
}
