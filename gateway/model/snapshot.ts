// What the data plane reads: one frozen view of the federation, replaced whole when anything changes.
import type { DrillLease } from './drill.ts'
import type { NodeHold } from './hold.ts'
import type { NodeId, RegionId } from './ids.ts'
import type { Mode } from './mode.ts'
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
  readonly holds: ReadonlyMap<NodeId, NodeHold>
  /** Nodes that a catalogue finds critical: they are asked oftener, and one bad probe is enough. */
  readonly suspects: ReadonlySet<NodeId>
  /** The mode that operators have set; `null`: the configuration file's is in force. */
  readonly mode: Mode | null
  /** Drills that are on, one for each home at the most. */
  readonly drills: readonly DrillLease[]
}
