// What an answer's status says about the node, and whether another node may be asked instead.
import type { Blame, Outcome } from '../model/outcome.ts'

/** Nothing was done with the request, whatever its method; another node can be asked (RFC 9110 section 15.5.20). */
export const misdirected = 421

// A breaker that opens on 4xx would let one town's broken client shut a node for every
// town, so only the node's own faults count. A node that says "full" is not ill: opening its
// breaker would take away what it can still do. Its refusals lower its limit instead.
export function outcomeOfStatus(status: number, retryAfter: boolean): Outcome {
  if (status === 429 || (status === 503 && retryAfter)) return 'refused'
  if (status === misdirected) return 'misdirected'
  return status >= 500 && !notItsFault.has(status) ? 'error-status' : 'answered'
}

/** Not implemented, HTTP version, loop between gateways: true of the request or the configuration, not of the node. */
const notItsFault: ReadonlySet<number> = new Set([501, 505, 508])

export function blameOf(outcome: Outcome): Blame {
  switch (outcome) {
    case 'answered':
      return 'success'
    case 'abandoned':
    case 'refused':
    case 'misdirected':
      return 'neutral'
    case 'error-status':
    case 'connect-failed':
    case 'timeout':
    case 'reset':
    case 'protocol':
      return 'failure'
  }
}
