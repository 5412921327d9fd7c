// Makes shadows of nodes in a drill's scope: of those that are there at its beginning, and of those that come later.
import type { RegionId } from '../../model/ids.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Board } from '../health/board.ts'
import { Donor } from '../health/donor.ts'
import type { NodeParts } from '../health/node-state.ts'
import { type AttemptsTold, ShadowState, unbounded } from './shadow-state.ts'

export class ShadowMaker {
  private readonly board: Board
  private readonly parts: NodeParts
  private readonly listener: AttemptsTold
  /** One for all nodes of a region: they lend together. */
  private readonly donors = new Map<RegionId, Donor>()

  /** @param listener Told of attempts at real nodes. */
  constructor(board: Board, parts: NodeParts, listener: AttemptsTold) {
    this.board = board
    this.parts = parts
    this.listener = listener
  }

  /** `null` for a node that the board has not. */
  make(node: CodeNode): ShadowState | null {
    const real = this.board.state(node)
    return real === undefined
      ? null
      : new ShadowState(real, this.donorOf(node.region), this.parts, this.listener)
  }

  private donorOf(region: RegionId): Donor {
    const donor = this.donors.get(region) ?? new Donor(unbounded)
    this.donors.set(region, donor)
    return donor
  }
}
