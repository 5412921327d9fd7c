// What the runner remembers of a drill that is on, from one second to the next.
import type { Drill } from '../../model/drill.ts'
import type { NodeId, RegionId } from '../../model/ids.ts'
import type { Mode } from '../../model/mode.ts'
import type { NodeReadings, Readings } from '../../model/readings.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import type { DrillMeasures } from '../../policy/drill-measure.ts'
import type { DonorUse } from '../../policy/drill-report.ts'
import { failedMeanwhile, type Stop, stopFor } from '../../policy/drill-stop.ts'

/** Seconds in a row without a word from whoever measures, after which nobody could stop it any more. */
const silentAtMost = 4

export class Watch {
  private before: readonly NodeReadings[] | null = null
  /** What the cohort's answers took before the fault, ms. */
  private calmP99Ms: number | null = null
  private silent = 0
  private readonly donors = new Map<RegionId, DonorUse>()
  private readonly mode: () => Mode

  /** @param mode The one that is in force. */
  constructor(mode: () => Mode) {
    this.mode = mode
  }

  /** Looks once. @returns Why it has to end before its time, or `null`. */
  look(
    drill: Drill,
    snapshot: Pick<Snapshot, 'homes'>,
    readings: Readings,
    measures: DrillMeasures | null,
  ): Stop | null {
    // Whoever began it in an emergency has overruled that by name.
    if (this.mode() === 'emergency' && drill.run?.overruled.includes('emergency') !== true) {
      return { ending: 'emergency', detail: '' }
    }
    const watched = nodesOf(drill, snapshot)
    this.noteDonors(watched, drill, readings)
    this.before ??= readings.nodes
    const failed = failedMeanwhile(watched, this.before, this.seenWell(this.before, readings.nodes))
    if (failed !== null) return failed
    this.silent = measures === null ? this.silent + 1 : 0
    if (this.silent >= silentAtMost) {
      return { ending: 'measured', detail: `nothing was measured for ${silentAtMost} s` }
    }
    if (measures === null || drill.fault.kind === 'registry-loss') return null
    if (measures.timeline.faultOn === undefined) this.calmP99Ms = measures.recent.cohort.p99Ms
    return stopFor(measures, drill.stop, this.calmP99Ms)
  }

  /** All but those who came meanwhile and have not been well yet: they fail nobody. */
  private seenWell(before: readonly NodeReadings[], now: readonly NodeReadings[]): readonly NodeReadings[] {
    const known = new Set(before.map(({ node }) => node))
    const came = now.filter(({ node, health }) => !known.has(node) && health === 'up')
    this.before = [...before, ...came]
    for (const { node } of came) known.add(node)
    return now.filter(({ node }) => known.has(node))
  }

  get donorUse(): DonorUse[] {
    return [...this.donors.values()]
  }

  private noteDonors(watched: ReadonlySet<NodeId>, { scope }: Drill, { nodes }: Readings): void {
    const byRegion = Map.groupBy(
      nodes.filter(({ node, region }) => watched.has(node) && !scope.homes.includes(region)),
      ({ region }) => region,
    )
    for (const [region, own] of byRegion) {
      const before = this.donors.get(region)
      const rps = own.reduce((sum, one) => sum + one.rps, 0)
      const use = useOf(own)
      const peakUse = use === null ? (before?.peakUse ?? null) : Math.max(use, before?.peakUse ?? 0)
      this.donors.set(region, { region, peakRps: Math.max(rps, before?.peakRps ?? 0), peakUse })
    }
  }
}

function useOf(nodes: readonly NodeReadings[]): number | null {
  let [inFlight, limit] = [0, 0]
  for (const one of nodes) {
    if (one.knownLimit === null) return null
    inFlight += one.inFlight
    limit += one.knownLimit
  }
  return limit === 0 ? null : inFlight / limit
}

const nodesOf = ({ scope }: Drill, { homes }: Pick<Snapshot, 'homes'>): ReadonlySet<NodeId> =>
  new Set(
    scope.homes.flatMap(
      (code) => homes.get(code)?.levels.flatMap(({ nodes }) => nodes.map(({ id }) => id)) ?? [],
    ),
  )
