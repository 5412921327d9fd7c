// What a cohort's view of a node tells of itself: to the drill's record, not to the logs and figures of real nodes.
import type { BreakerState, Health } from '../../model/events.ts'
import type { CodeNode } from '../../model/region.ts'
import type { NodeObserver } from '../health/node-state.ts'
import type { Rehearsal } from './rehearsal.ts'

export class ShadowObserver implements NodeObserver {
  private readonly rehearsal: Pick<Rehearsal, 'breakerMoved' | 'noteDetected' | 'noteFound' | 'measures'>
  private readonly wallNow: () => number

  constructor(
    rehearsal: Pick<Rehearsal, 'breakerMoved' | 'noteDetected' | 'noteFound' | 'measures'>,
    wallNow: () => number,
  ) {
    this.rehearsal = rehearsal
    this.wallNow = wallNow
  }

  healthChanged(node: CodeNode, health: Health): void {
    this.rehearsal.measures.happened({
      at: this.wallNow(),
      node: node.id,
      what: `health ${health}`,
      real: false,
    })
    if (health === 'down') this.rehearsal.noteFound(node.id, 'probes')
    this.rehearsal.noteDetected()
  }

  breakerChanged(node: CodeNode, state: BreakerState): void {
    this.rehearsal.breakerMoved(node, state)
  }

  // Readiness is judged at the real node.
  readinessChanged(): void {}
  readinessUnreadable(): void {}
}
