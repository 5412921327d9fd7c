// Whom a drill reaches: the nodes that its fault is put upon, and the residents who are in its cohort.
import type { FaultScope } from '../model/drill.ts'
import type { NodeId } from '../model/ids.ts'
import type { CodeNode } from '../model/region.ts'
import type { Home } from '../model/snapshot.ts'
import { pairDraw, seedOf } from './hash.ts'

/** The nodes of `home`'s levels that the fault is put upon, nearest first. */
export function targetsOf({ regions, nodes, levels }: FaultScope, home: Home): CodeNode[] {
  const found = new Map<NodeId, CodeNode>()
  for (const level of home.levels) {
    const whole = levels.includes(level.name) || regions.includes(level.region)
    for (const node of level.nodes) if (whole || nodes.includes(node.id)) found.set(node.id, node)
  }
  return [...found.values()]
}

/** @param drill Its id: each drill has other residents in its cohort. */
export const cohortSeed = (drill: string): number => seedOf(`drill ${drill}`)

/**
 * Whether a resident takes part: the same in every process, for as long as the drill lasts.
 * @param key Keyed hash of the resident, so that nobody outside can choose to be in it.
 * @param share Share of residents that take part, 0 to 1.
 */
export const isInCohort = (key: number, seed: number, share: number): boolean => pairDraw(key, seed) <= share
