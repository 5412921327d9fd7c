// Regions and the nodes that serve them, as plain values.
import type { NodeId, RegionId } from './ids.ts'
import type { NodeTrust } from './node-trust.ts'

export type Tier = 'city' | 'province' | 'nation'

/** A rung of the escalation. `last-good` is an answer kept from before, no node's. */
export type LevelName = 'local' | 'neighbour' | 'province' | 'nation'

/** One instance of a region's code service, where the gateway can reach it. */
export interface CodeNode {
  readonly id: NodeId
  readonly region: RegionId
  /** Scheme, host and port, without a trailing slash: `http://127.0.0.1:9101`. */
  readonly origin: string
  /** Path put before every request's path; empty, or `/something` without a trailing slash. */
  readonly basePath: string
  /** Host name and port by which the node knows itself, as in `Host` and `Location`. */
  readonly authority: string
  /** Share of its level's residents relative to its siblings, above 0. */
  readonly weight: number
  /** Requests it may have open at once by declaration; `Infinity` where none was declared. */
  readonly limit: number
  /** Its name as a 32-bit number, for rendezvous hashing. */
  readonly seed: number
  /** Terms of TLS; `null` for plain HTTP, or for the system's authorities and the origin's own name. */
  readonly trust: NodeTrust | null
  /** It came by an operator's enrolment or a catalogue, not by the file, so that it may not be everywhere. */
  readonly isEnrolled: boolean
  /** The same for nodes that may share connections: same origin, same terms of TLS, same trust in its address. */
  readonly connectionKey: string
}

/** What a region lends to others' residents. */
export interface Lending {
  /** Requests a second; `Infinity` where not limited. */
  readonly limitRps: number
  /** Requests open at once; `Infinity` where not limited. */
  readonly limitConcurrent: number
  /** Share of each node's limit kept for the region's own residents, 0 to 1. */
  readonly homeReserve: number
}

export interface Region {
  readonly code: RegionId
  readonly name: { readonly zh: string; readonly en: string }
  readonly tier: Tier
  readonly nodes: readonly CodeNode[]
  readonly lends: Lending
  /** Regions that agreed to help this one's residents, in the agreed order. */
  readonly neighbours: readonly RegionId[]
  readonly province: RegionId | null
  readonly nation: RegionId | null
  /** Its own residents come by this gateway; without it, it only helps others'. */
  readonly servesOwn: boolean
  /** It takes nodes that a catalogue lists for it. */
  readonly discovers: boolean
}
