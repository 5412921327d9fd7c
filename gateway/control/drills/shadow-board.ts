// The board as a drill's cohort sees it: the real one, but for the nodes that a fault is put upon.
import type { NodeId, RegionId } from '../../model/ids.ts'
import type { Verdict } from '../../model/outcome.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Home } from '../../model/snapshot.ts'
import { judge } from '../../policy/eligibility.ts'
import { type Board, mayServe, type NodeBoard } from '../health/board.ts'
import type { NodeState } from '../health/node-state.ts'
import type { ShadowState } from './shadow-state.ts'

export class ShadowBoard implements NodeBoard {
  private readonly board: Board
  private readonly shadows: Map<NodeId, ShadowState>

  constructor(board: Board, shadows: Map<NodeId, ShadowState>) {
    this.board = board
    this.shadows = shadows
  }

  state(node: CodeNode): NodeState | undefined {
    return this.shadows.get(node.id) ?? this.board.state(node)
  }

  /** What is known of the real node holds for the cohort too: it is never sent where nobody may be sent. */
  judge(node: CodeNode, home: RegionId, draw: number, canRetry: boolean, borrowed: boolean): Verdict {
    const real = this.board.judge(node, home, draw, canRetry, borrowed)
    const shadow = this.shadows.get(node.id)
    return shadow === undefined || real !== 'ok' ? real : judge(shadow, home, draw, canRetry, borrowed)
  }

  isBusy(home: Home, tried: readonly NodeId[]): boolean {
    return home.levels.some(({ nodes }) =>
      nodes.some((node) => !tried.includes(node.id) && this.mayServe(node, home)),
    )
  }

  /** See {@link Board.stretch}. */
  stretch(home: Home, now: number): boolean {
    let could = false
    for (const { nodes } of home.levels) {
      for (const node of nodes) {
        if (this.mayServe(node, home) && this.state(node)?.stretch(now) === true) could = true
      }
    }
    return could
  }

  inFlight(node: CodeNode): number {
    return Math.max(this.board.inFlight(node), this.shadows.get(node.id)?.inFlight ?? 0)
  }

  cost(node: CodeNode): number {
    const shadow = this.shadows.get(node.id)
    return shadow === undefined ? this.board.cost(node) : shadow.latency.peakEwma * (this.inFlight(node) + 1)
  }

  private mayServe(node: CodeNode, home: Home): boolean {
    const [real, shadow] = [this.board.state(node), this.shadows.get(node.id)]
    return real !== undefined && mayServe(real, home) && (shadow === undefined || mayServe(shadow, home))
  }
}
