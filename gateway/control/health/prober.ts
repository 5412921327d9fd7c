// Active probes: asks every node how it is, on a loop of its own, and writes what it hears on the board.
import type { Clock } from '../../model/clock.ts'
import type { NodeId } from '../../model/ids.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import {
  afterProbe,
  nextProbeInMs,
  type ProbeSettings,
  type ProbeState,
  unprobed,
} from '../../policy/health.ts'
import type { Board } from './board.ts'
import type { Readiness } from './readiness.ts'

export type ProbeResult =
  | { readonly good: true; readonly readiness: Readiness }
  | { readonly good: false; readonly detail: string }

/** Asks one node. Resolves always; gives up at once when `signal` aborts. */
export type Probe = (node: CodeNode, signal: AbortSignal) => Promise<ProbeResult>

/** One loop a node, each with its own pauses, so that one hung node delays no other's probe. */
export class Prober implements Disposable {
  private readonly loops = new Map<NodeId, ProbeLoop>()
  private readonly board: Board
  private readonly clock: Clock
  private readonly probe: Probe
  private readonly random: () => number
  private settings: ProbeSettings
  private suspects: Snapshot['suspects'] = new Set()

  constructor(
    parts: { board: Board; clock: Clock; probe: Probe; random: () => number },
    settings: ProbeSettings,
  ) {
    this.board = parts.board
    this.clock = parts.clock
    this.probe = parts.probe
    this.random = parts.random
    this.settings = settings
  }

  /** Starts loops for new nodes, ends those of nodes that are gone. */
  follow(snapshot: Snapshot): void {
    for (const [id, loop] of this.loops) {
      const next = snapshot.nodes.get(id)
      if (next !== undefined && next.connectionKey === loop.node.connectionKey) continue
      loop.end()
      this.loops.delete(id)
    }
    const before = this.suspects
    this.suspects = snapshot.suspects
    for (const node of snapshot.nodes.values()) {
      const known = this.loops.get(node.id)
      if (known !== undefined) {
        if (this.suspects.has(node.id) && !before.has(node.id)) known.hurry()
        continue
      }
      const loop = new ProbeLoop(node, this)
      this.loops.set(node.id, loop)
      loop.start()
    }
  }

  /** Takes effect from each node's next probe. */
  use(settings: ProbeSettings): void {
    this.settings = settings
  }

  /** @internal One probe, judged and written down. Returns the state after it and the pause until the next. */
  async round(node: CodeNode, state: ProbeState, signal: AbortSignal): Promise<[ProbeState, number]> {
    const result = await this.probe(node, signal)
    const settings = this.settingsFor(node)
    const next = afterProbe(state, result.good, settings)
    if (!signal.aborted) {
      // First what it can't do, lest a node that comes up is sent what it has just said it can't take.
      if (result.good) this.board.told(node, result.readiness)
      this.board.state(node)?.probed(next.health, result.good ? 'probes answer well' : result.detail)
    }
    return [next, nextProbeInMs(next, settings, this.random())]
  }

  /** Somebody else found it critical: it is asked oftener, and one bad answer confirms it. */
  private settingsFor({ id }: CodeNode): ProbeSettings {
    const { settings } = this
    if (!this.suspects.has(id)) return settings
    return { ...settings, intervalMs: settings.fastIntervalMs, fall: 1 }
  }

  after(delayMs: number, task: () => void): () => void {
    return this.clock.after(delayMs, task)
  }

  [Symbol.dispose](): void {
    for (const loop of this.loops.values()) loop.end()
    this.loops.clear()
  }
}

class ProbeLoop {
  readonly node: CodeNode
  private readonly prober: Prober
  private readonly abort = new AbortController()
  private state = unprobed
  private isAsking = false
  private cancel = (): void => {}

  constructor(node: CodeNode, prober: Prober) {
    this.node = node
    this.prober = prober
  }

  start(): void {
    void this.once()
  }

  end(): void {
    this.abort.abort()
    this.cancel()
  }

  /** Asks now, where it is waiting to. */
  hurry(): void {
    if (this.isAsking) return
    this.cancel()
    void this.once()
  }

  private async once(): Promise<void> {
    this.isAsking = true
    const [state, pauseMs] = await this.prober.round(this.node, this.state, this.abort.signal)
    this.isAsking = false
    if (this.abort.signal.aborted) return
    this.state = state
    this.cancel = this.prober.after(pauseMs, () => void this.once())
  }
}
