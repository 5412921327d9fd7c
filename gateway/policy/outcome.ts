// What an answer's status says about the node, and whether another node may be asked instead.
import type { Blame, Outcome } from '../model/outcome.ts'

// A breaker that opens on 4xx would let one town's broken client shut a node for every
// town, so only the node's own faults count. 429 counts: it is the node saying "full".
export const outcomeOfStatus = (status: number): Outcome =>
  (status >= 500 && !notItsFault.has(status)) || status === 429 ? 'error-status' : 'answered'

/** Not implemented, HTTP version, loop between gateways: true of the request or the configuration, not of the node. */
const notItsFault: ReadonlySet<number> = new Set([501, 505, 508])

export function blameOf(outcome: Outcome): Blame {
  switch (outcome) {
    case 'answered':
      return 'success'
    case 'abandoned':
      return 'neutral'
    case 'error-status':
    case 'connect-failed':
    case 'timeout':
    case 'reset':
    case 'protocol':
      return 'failure'
  }
}
