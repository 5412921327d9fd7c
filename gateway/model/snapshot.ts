// What the data plane reads: one frozen view of the federation, replaced whole when anything changes.
import type { NodeId, RegionId } from './ids.ts'
import type { CodeNode, LevelName, Lending, Region } from './region.ts'

/** The nodes of one region, in the place that they have for one home's residents. */
export interface Level {
  readonly name: LevelName
  readonly region: RegionId
  readonly nodes: readonly CodeNode[]
  /** Sum of the nodes' weights. */
  readonly totalWeight: number
}

/** A home region as the router sees it: who may answer for its residents, nearest first. */
export interface Home {
  readonly region: Region
  readonly levels: readonly Level[]
}

export interface Snapshot {
  /** Counts up by one with every change applied in this process. */
  readonly version: number
  readonly homes: ReadonlyMap<string, Home>
  readonly nodes: ReadonlyMap<NodeId, CodeNode>
  readonly lending: ReadonlyMap<RegionId, Lending>
  readonly holds: ReadonlyMap<NodeId, Hold>
}

/**
 * An operator's decision on a node, kept apart from what is measured:
 * `trip` sends it nothing, `drain` lets what is in flight end, `bypass` ignores what is measured.
 */
export type HoldKind = 'trip' | 'drain' | 'bypass'

export interface Hold {
  readonly kind: HoldKind
  readonly owner: string
  readonly reason: string
  /** Wall-clock milliseconds since 1970 at which the lease ends. */
  readonly expiresAt: number
}
