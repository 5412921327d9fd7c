// How an attempt at a node ended: one closed vocabulary for breakers, retries, metrics and reports.

/**
 * - `answered`: any status that is not the node's own fault.
 * - `error-status`: 5xx, or 429 (the node saying that it is full).
 * - `connect-failed`: no connection, so nothing was sent.
 * - `timeout`: the attempt's deadline passed.
 * - `reset`: the connection broke before the answer was whole.
 * - `protocol`: what came back was not HTTP.
 * - `abandoned`: we or the client let go of it; says nothing about the node.
 */
export type Outcome =
  | 'answered'
  | 'error-status'
  | 'connect-failed'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'abandoned'

/** What an outcome says about the node that it came from. */
export type Blame = 'success' | 'failure' | 'neutral'

/** Why a node is not tried now, or not before the others. */
export type SkipReason = 'held' | 'draining' | 'unhealthy' | 'breaker-open' | 'full' | 'stalled' | 'ramping'

export type Verdict = 'ok' | SkipReason
