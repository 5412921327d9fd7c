// Breakers that only measure: fed like a node's own, they say when it would have opened, and keep nobody off.
import type { NodeId } from '../../model/ids.ts'
import type { Outcome } from '../../model/outcome.ts'
import { blameOf } from '../../policy/outcome.ts'
import type { Breaker, BreakerFactory } from '../breakers.ts'

interface Witness {
  readonly circuit: Breaker
  refusedInARow: number
}

export class Witnesses implements Disposable {
  private readonly byNode = new Map<NodeId, Witness>()
  private readonly breakers: BreakerFactory
  private readonly connectFailures: number
  private readonly opened: (node: NodeId) => void

  /**
   * @param connectFailures Refused connections in a row after which a breaker opens.
   * @param opened Told each time that one opens.
   */
  constructor(breakers: BreakerFactory, connectFailures: number, opened: (node: NodeId) => void) {
    this.breakers = breakers
    this.connectFailures = connectFailures
    this.opened = opened
  }

  /** An attempt at the node has ended. */
  heard(node: NodeId, outcome: Outcome): void {
    const blame = blameOf(outcome)
    if (blame === 'neutral') return
    const witness = this.of(node)
    const { circuit } = witness
    witness.refusedInARow = outcome === 'connect-failed' ? witness.refusedInARow + 1 : 0
    // Half open, what comes next is the trial: nobody is sent here for one.
    if (circuit.state !== 'open') circuit.record(blame === 'failure')
    if (witness.refusedInARow >= this.connectFailures) circuit.open()
  }

  [Symbol.dispose](): void {
    for (const { circuit } of this.byNode.values()) circuit[Symbol.dispose]()
    this.byNode.clear()
  }

  private of(node: NodeId): Witness {
    let witness = this.byNode.get(node)
    if (witness === undefined) {
      const circuit = this.breakers.create(node, (state) => {
        if (state === 'open') this.opened(node)
      })
      witness = { circuit, refusedInARow: 0 }
      this.byNode.set(node, witness)
    }
    return witness
  }
}
