// An operator's decision on a region or a node, kept apart from what is measured.
import type { NodeId, RegionId } from './ids.ts'

/**
 * `trip` sends a node nothing, `drain` lets what is in flight end, `bypass` ignores what is measured.
 * In this order of strength: of several holds on one node the first named counts, since it spares the node most.
 */
export const holdKinds = ['trip', 'drain', 'bypass'] as const
export type HoldKind = (typeof holdKinds)[number]

/** One node, or a region with all the nodes that it has while the hold lasts. */
export type HoldScope = { readonly node: NodeId } | { readonly region: RegionId }

export interface Hold {
  /** Unique in the federation. */
  readonly id: string
  readonly kind: HoldKind
  readonly scope: HoldScope
  /** Who answers for it. */
  readonly owner: string
  readonly reason: string
  /** Wall-clock milliseconds since 1970. */
  readonly createdAt: number
  /** Wall-clock milliseconds since 1970 at which the lease ends. */
  readonly expiresAt: number
}

/** What became of a hold. */
export type HoldStep = 'put' | 'changed' | 'ended' | 'expired'

/** What the holds on one node come to. */
export interface NodeHold {
  readonly kind: HoldKind
  /** All that lie on the node or its region, the one that counts first. */
  readonly holds: readonly Hold[]
}
