// What drills come to in a forecast: who goes without which nodes, and what is slower or lends less.
import type { DrillLease, Fault } from '../model/drill.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { targetsOf } from './drill-scope.ts'
import { isBorrowed } from './selection.ts'

/** Residents of one home who go without some nodes. */
export interface CohortEffect {
  /** Of that home's requests, 0 to 1. */
  readonly share: number
  readonly without: ReadonlySet<NodeId>
}

export interface DrillEffect {
  readonly cohorts: ReadonlyMap<RegionId, CohortEffect>
  /** By how much an answer takes longer on the average, ms. */
  readonly slower: ReadonlyMap<NodeId, number>
  /** What is left of a region's lending, 0 to 1. */
  readonly lends: ReadonlyMap<RegionId, number>
}

export const noEffect: DrillEffect = { cohorts: new Map(), slower: new Map(), lends: new Map() }

/** What decides whether a fault is more than slowness or a few retries. */
export interface FaultBounds {
  /** Deadline of one try, ms. */
  readonly attemptTimeoutMs: number
  /** Failed share of a node's answers above which its breaker opens, 0 to 1. */
  readonly breakerOpensAbove: number
}

/**
 * How a fault is foreseen:
 * - `gone`: as if the cohort's breakers were held open;
 * - `slower`: by Little's law a node takes as many fewer requests as an answer takes longer; hedges are left out;
 * - `retried`: the failed share of requests is served elsewhere, as if each could be repeated;
 * - `cut`: the cohort's share of what a region lends;
 * - `unmoved`: everybody is served as before.
 */
export type FaultForeseen = 'gone' | 'slower' | 'retried' | 'cut' | 'unmoved'

export function foreseenAs(
  fault: Fault,
  { attemptTimeoutMs, breakerOpensAbove }: FaultBounds,
): FaultForeseen {
  switch (fault.kind) {
    case 'registry-loss':
      return 'unmoved'
    case 'quota-cut':
      return 'cut'
    case 'latency':
      return fault.ms >= attemptTimeoutMs ? 'gone' : 'slower'
    case 'errors':
      return fault.share > breakerOpensAbove ? 'gone' : 'retried'
    default:
      return 'gone'
  }
}

/** @param drills One for each home at the most. */
export function effectOf(
  drills: readonly Pick<DrillLease, 'home' | 'scope' | 'fault' | 'cohort'>[],
  { homes }: Pick<Snapshot, 'homes'>,
  bounds: FaultBounds,
): DrillEffect {
  const cohorts = new Map<RegionId, CohortEffect>()
  const slower = new Map<NodeId, number>()
  const lends = new Map<RegionId, number>()
  for (const { home: code, scope, fault, cohort } of drills) {
    const home = homes.get(code)
    if (home === undefined) continue
    const targets = targetsOf(scope, home)
    const as = foreseenAs(fault, bounds)
    if (as === 'gone' || as === 'retried') {
      const share = as === 'retried' && fault.kind === 'errors' ? cohort * fault.share : cohort
      cohorts.set(code, { share, without: new Set(targets.map(({ id }) => id)) })
    } else if (as === 'slower' && fault.kind === 'latency') {
      // Of donors' own residents none waits longer.
      for (const { id, region } of targets) if (region === code) slower.set(id, fault.ms * cohort)
    } else if (fault.kind === 'quota-cut') {
      const regions = new Set([...scope.regions, ...targets.map(({ region }) => region)])
      const left = 1 - cohort * (1 - fault.share)
      for (const region of regions) lends.set(region, Math.min(left, lends.get(region) ?? 1))
      if (fault.share > 0) continue
      const levels = home.levels.filter((level) => isBorrowed(level) && regions.has(level.region))
      const without = new Set(levels.flatMap(({ nodes }) => nodes.map(({ id }) => id)))
      cohorts.set(code, { share: cohort, without })
    }
  }
  return { cohorts, slower, lends }
}
