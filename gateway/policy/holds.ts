// What the holds of several people come to, node by node.
import { type Hold, holdKinds, type HoldStep, type NodeHold } from '../model/hold.ts'
import type { NodeId } from '../model/ids.ts'
import type { CodeNode } from '../model/region.ts'

const strengthOf = ({ kind }: Hold): number => holdKinds.indexOf(kind)

/**
 * Each node's holds, its region's included. The strongest kind counts; when it ends, the next does: nobody ends
 * another's hold by ending their own.
 */
export function nodeHolds(nodes: Iterable<CodeNode>, holds: readonly Hold[]): ReadonlyMap<NodeId, NodeHold> {
  const result = new Map<NodeId, NodeHold>()
  if (holds.length === 0) return result
  const byScope = Map.groupBy(
    holds.toSorted((a, b) => strengthOf(a) - strengthOf(b) || b.expiresAt - a.expiresAt),
    ({ scope }) => ('node' in scope ? `node ${scope.node}` : `region ${scope.region}`),
  )
  for (const node of nodes) {
    const own = byScope.get(`node ${node.id}`) ?? []
    const regional = byScope.get(`region ${node.region}`) ?? []
    const all = own.length > 0 && regional.length > 0 ? merged(own, regional) : [...own, ...regional]
    const [first] = all
    if (first !== undefined) result.set(node.id, { kind: first.kind, holds: all })
  }
  return result
}

const merged = (own: readonly Hold[], regional: readonly Hold[]): Hold[] =>
  [...own, ...regional].toSorted((a, b) => strengthOf(a) - strengthOf(b))

/**
 * What became of holds between two looks at them.
 *
 * @param before Those that were in force.
 * @param after Those that are now.
 * @param wallMs Wall-clock milliseconds since 1970.
 */
export function holdSteps(before: readonly Hold[], after: readonly Hold[], wallMs: number): HoldMoved[] {
  const was = new Map(before.map((hold) => [hold.id, hold]))
  const is = new Map(after.map((hold) => [hold.id, hold]))
  const gone = before
    .filter(({ id }) => !is.has(id))
    .map((hold): HoldMoved => ({ hold, step: hold.expiresAt <= wallMs ? 'expired' : 'ended' }))
  const come = after.flatMap((hold): HoldMoved[] => {
    const earlier = was.get(hold.id)
    if (earlier === undefined) return [{ hold, step: 'put' }]
    return isSame(earlier, hold) ? [] : [{ hold, step: 'changed' }]
  })
  return [...gone, ...come]
}

interface HoldMoved {
  readonly hold: Hold
  readonly step: HoldStep
}

const isSame = (a: Hold, b: Hold): boolean =>
  a.kind === b.kind && a.expiresAt === b.expiresAt && a.owner === b.owner && a.reason === b.reason
