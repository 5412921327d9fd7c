// How many requests a second a node can answer, by what is known of it and by nothing else.
import type { HoldKind } from '../model/hold.ts'
import type { LimitBasis, NodeReadings } from '../model/readings.ts'
import type { CodeNode } from '../model/region.ts'
import { conditionOf } from './condition.ts'
import { isServing } from './eligibility.ts'

/** What a node's capacity rests on; `unknown` where nothing has been declared, reported or learnt, or no latency seen. */
export type CapacityBasis = Exclude<LimitBasis, 'unproven'> | 'unknown'

export interface NodeCapacity {
  readonly node: CodeNode
  /** It would serve if it had room. */
  readonly serves: boolean
  /** Requests a second; `null`: unknown, never a guess. */
  readonly rps: number | null
  readonly basis: CapacityBasis
  /** How long an answer takes, ms; `null`: no answer has been seen. */
  readonly answerMs: number | null
}

/**
 * By Little's law: requests that it can have open, over the time that one is open.
 *
 * @param readings `undefined` for a node that nobody has measured yet; it is taken to serve.
 * @param hold What operators' holds on it would come to, whatever is in force now.
 */
export function capacityOf(
  node: CodeNode,
  readings: NodeReadings | undefined,
  hold: HoldKind | null,
): NodeCapacity {
  if (readings === undefined) {
    const serves = hold !== 'trip' && hold !== 'drain'
    return { node, serves, rps: null, basis: 'unknown', answerMs: null }
  }
  const { knownLimit, limitBasis, meanMs, easeMs } = readings
  const answerMs = meanMs ?? easeMs
  const serves = isServing({ ...conditionOf(readings), hold }, null)
  if (knownLimit === null || limitBasis === 'unproven' || answerMs === null || answerMs === 0) {
    return { node, serves, rps: null, basis: 'unknown', answerMs }
  }
  return { node, serves, rps: (knownLimit * 1000) / answerMs, basis: limitBasis, answerMs }
}

/**
 * Divides a region's requests among its nodes by weight; what is above a node's capacity goes to its siblings. What is
 * above all of theirs is divided by weight.
 *
 * @returns Requests a second in the order of `nodes`; 0 for one that doesn't serve.
 * @example byWeight(90, [{ serves: true, weight: 1, rps: 30 }, { serves: true, weight: 1, rps: null }]) // [30, 60]
 */
export function byWeight(rps: number, nodes: readonly Taker[]): number[] {
  const taken = nodes.map(() => 0)
  let open = [...nodes.entries()].filter(([, { serves }]) => serves)
  let left = rps
  for (;;) {
    const weights = open.reduce((sum, [, { weight }]) => sum + weight, 0)
    const partOf = ({ weight }: Taker): number => (left * weight) / weights
    const full = open.filter(([, node]) => node.rps !== null && partOf(node) > node.rps)
    if (full.length === 0 || full.length === open.length) {
      for (const [i, node] of open) taken[i] = partOf(node)
      return taken
    }
    for (const [i, { rps: capacity }] of full) taken[i] = capacity ?? 0
    left -= full.reduce((sum, [i]) => sum + (taken[i] ?? 0), 0)
    open = open.filter(([i]) => !full.some(([other]) => other === i))
  }
}

interface Taker {
  readonly serves: boolean
  readonly weight: number
  /** Requests a second that it can take; `null`: unknown. */
  readonly rps: number | null
}
