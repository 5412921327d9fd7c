// What the holds of several people come to, node by node.
import { type Hold, holdKinds, type NodeHold } from '../model/hold.ts'
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
