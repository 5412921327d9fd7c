// What is measured of every node, live: the one place that the router reads and that attempts and probes write.
import type { Clock } from '../../model/clock.ts'
import type { Observer } from '../../model/events.ts'
import type { NodeId, RegionId } from '../../model/ids.ts'
import type { Verdict } from '../../model/outcome.ts'
import type { CodeNode, Lending } from '../../model/region.ts'
import type { Home, Snapshot } from '../../model/snapshot.ts'
import { isServing, judge } from '../../policy/eligibility.ts'
import type { Fleet } from '../../policy/selection.ts'
import { BreakerFactory } from '../breakers.ts'
import { Donor } from './donor.ts'
import type { Readiness } from './readiness.ts'
import { type NodeParts, type NodeSettings, NodeState, type OwnDelay } from './node-state.ts'

const lendsAll: Lending = { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 }

/** What forwarding asks about nodes and writes of them. */
export interface NodeBoard extends Fleet {
  /** Its live state; `undefined` for a node that a reload took away while a request was under way. */
  state(node: CodeNode): NodeState | undefined
  /** Whether waiting could help a request of `home`: a node that it has not tried would serve if it had room. */
  isBusy(home: Home, tried: readonly NodeId[]): boolean
}

/** Live state of all nodes. Follows the snapshot: a node that stays keeps what was learnt of it. */
export class Board implements NodeBoard, Disposable {
  private readonly states = new Map<NodeId, NodeState>()
  private readonly donors = new Map<RegionId, Donor>()
  private readonly breakers: BreakerFactory
  private readonly parts: NodeParts
  private homes: Snapshot['homes'] = new Map()

  constructor(clock: Clock, settings: NodeSettings, observer: Observer, own: OwnDelay = { ms: 0 }) {
    this.breakers = new BreakerFactory(settings.breaker)
    this.parts = { clock, settings, breakers: this.breakers, observer, own }
  }

  /** Takes over a new snapshot's nodes and holds; returns those that are gone. */
  follow(snapshot: Snapshot): CodeNode[] {
    this.homes = snapshot.homes
    const gone: CodeNode[] = []
    for (const [id, state] of this.states) {
      const next = snapshot.nodes.get(id)
      if (next !== undefined && next.connectionKey === state.node.connectionKey) continue
      gone.push(state.node)
      state.circuit[Symbol.dispose]()
      this.states.delete(id)
    }
    for (const [code, lending] of snapshot.lending) this.donorOf(code).use(lending)
    for (const node of snapshot.nodes.values()) {
      const known = this.states.get(node.id)
      const donor = this.donorOf(node.region)
      const state = known ?? new NodeState(node, donor, this.parts)
      if (known === undefined) this.states.set(node.id, state)
      state.node = node
      // Its region may have changed, and with it whose quota its loans count against.
      state.donor = donor
      state.hold = snapshot.holds.get(node.id)?.kind ?? null
    }
    return gone
  }

  state(node: CodeNode): NodeState | undefined {
    return this.states.get(node.id)
  }

  all(): IterableIterator<NodeState> {
    return this.states.values()
  }

  /** Takes over what a node said of homes; those that are not served here are none of ours. */
  told(node: CodeNode, readiness: Readiness): void {
    const ours: Readiness =
      readiness.kind === 'told'
        ? {
            kind: 'told',
            notReadyFor: new Set([...readiness.notReadyFor].filter((home) => this.homes.has(home))),
          }
        : readiness
    this.states.get(node.id)?.told(ours)
  }

  /** What `code` lends and has lent. */
  donorOf(code: RegionId): Donor {
    let donor = this.donors.get(code)
    if (donor === undefined) {
      donor = new Donor(lendsAll)
      this.donors.set(code, donor)
    }
    return donor
  }

  lenders(): IterableIterator<[RegionId, Donor]> {
    return this.donors.entries()
  }

  judge(node: CodeNode, home: RegionId, draw: number, canRetry: boolean, borrowed: boolean): Verdict {
    const state = this.states.get(node.id)
    return state === undefined ? 'draining' : judge(state, home, draw, canRetry, borrowed)
  }

  isBusy(home: Home, tried: readonly NodeId[]): boolean {
    return home.levels.some(({ nodes }) =>
      nodes.some(({ id }) => {
        const state = this.states.get(id)
        return state !== undefined && !tried.includes(id) && mayServe(state, home)
      }),
    )
  }

  /**
   * Raises the limits of those that may turn out to take more than is known of them.
   * @returns Whether there are any.
   */
  stretch(home: Home, now: number): boolean {
    let could = false
    for (const { nodes } of home.levels) {
      for (const { id } of nodes) {
        const state = this.states.get(id)
        if (state !== undefined && mayServe(state, home) && state.stretch(now)) could = true
      }
    }
    return could
  }

  inFlight(node: CodeNode): number {
    return this.states.get(node.id)?.inFlight ?? 0
  }

  cost(node: CodeNode): number {
    const state = this.states.get(node.id)
    return state === undefined ? Infinity : state.latency.peakEwma * (state.inFlight + 1)
  }

  [Symbol.dispose](): void {
    for (const state of this.states.values()) state.circuit[Symbol.dispose]()
    this.states.clear()
    this.breakers[Symbol.dispose]()
  }
}

/** Slow from the start looks like frozen for a while. Where nothing better has room, it is waited for. */
export const mayServe = (state: NodeState, { region }: Home): boolean =>
  isServing(state, region.code, state.isSilentByGuess)
