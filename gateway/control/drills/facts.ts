// What is known when somebody asks whether a drill may begin.
import type { Drill, DrillPlan } from '../../model/drill.ts'
import type { Hold } from '../../model/hold.ts'
import type { Mode } from '../../model/mode.ts'
import type { Measured } from '../../model/readings.ts'
import type { Lending, Region } from '../../model/region.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import type { Change } from '../../policy/change.ts'
import { blastRadius, type DrillFacts } from '../../policy/drill-guards.ts'
import type { Intent } from '../intent/read.ts'
import { preview, type Preview, trafficOf } from '../preview.ts'

export interface FactsParts {
  snapshot(): Snapshot
  regions(): readonly Region[]
  intent(): Intent
  readonly measured: Measured
  /** The mode that the configuration file names. */
  fileMode(): Mode
  /** Share of requests that keep donors warm in that mode. */
  warmShare(mode: Mode): number
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number
  /** Whether what a drill does is measured where it is run. */
  readonly isMeasured: boolean
}

export type Foreseen = DrillFacts & { readonly preview: Preview }

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
  const foreseen = preview(changesOf(plan, Object.values(radius.nodes).flat(), parts.regions(), now), {
    input: { regions: parts.regions(), holds, mode },
    readings,
    ownMode: parts.fileMode(),
    warmShare: (of) => parts.warmShare(of),
  })
  return {
    now,
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

/** As if all residents were in the cohort: refused too early is better than too late. */
function changesOf(
  { fault, scope, name, reason }: DrillPlan,
  nodes: readonly Hold['id'][],
  regions: readonly Region[],
  now: number,
): Change[] {
  if (fault.kind === 'registry-loss' || fault.kind === 'latency') return []
  if (fault.kind === 'quota-cut') {
    const isCut = ({ code, nodes: own }: Region): boolean =>
      scope.regions.includes(code) || own.some(({ id }) => nodes.includes(id))
    return [
      {
        regions: regions.map((region) =>
          isCut(region) ? { ...region, lends: cut(region.lends, fault.share) } : region,
        ),
      },
    ]
  }
  return regions
    .flatMap(({ nodes: own }) => own)
    .filter(({ id }) => nodes.includes(id))
    .map(({ id }) => ({
      hold: {
        id: `drill-${id}`,
        kind: 'trip',
        scope: { node: id },
        owner: name,
        reason,
        createdAt: now,
        expiresAt: now + 1,
      },
    }))
}

const cut = (lends: Lending, share: number): Lending => ({
  ...lends,
  limitRps: share === 0 ? 0 : lends.limitRps * share,
  limitConcurrent: share === 0 ? 0 : Math.ceil(lends.limitConcurrent * share),
})
