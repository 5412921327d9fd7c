// What every route works with.
import type { Authority } from './authority/authority.ts'
import type { LoadGate } from './load-gate.ts'
import type { RegionNodeLog } from './options.ts'
import type { Copies } from './replication/copies.ts'
import type { Store } from './store/store.ts'
import type { TerminalDirectory } from './terminals/directory.ts'

export interface CodeService {
  readonly regionCode: string
  readonly nodeName: string
  /** Division codes that must be loaded before the node is ready: its own and those it backs up. */
  readonly regions: readonly string[]
  readonly store: Store
  /** Of homes that it follows, its own region's writer among them where that is another node. */
  readonly copies: Copies
  readonly gate: LoadGate
  /** Who may look up residents by their cards. */
  readonly terminals: TerminalDirectory
  /** What this node may sign, and the lists that it goes by. */
  readonly authority: Authority
  readonly codeValidityMs: number
  /** Undefined: a backed-up region's data never grow too old. */
  readonly maxReplicaAgeMs: number | undefined
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: RegionNodeLog
}
