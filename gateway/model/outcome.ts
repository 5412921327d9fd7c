// How an attempt at a node ended: one closed vocabulary for breakers, retries, metrics and reports.

/**
 * - `answered`: any status that is not the node's own fault.
 * - `error-status`: 5xx.
 * - `refused`: 429, or 503 with Retry-After: the node saying that it is full.
 * - `misdirected`: 421: the node is not to answer for that home, and has done nothing (RFC 9110 section 15.5.20).
 * - `connect-failed`: no connection, so nothing was sent.
 * - `timeout`: the attempt's deadline passed.
 * - `reset`: the connection broke before the answer was whole.
 * - `protocol`: what came back was not HTTP.
 * - `abandoned`: we or the client let go of it; says nothing about the node.
 */
export type Outcome =
  | 'answered'
  | 'error-status'
  | 'refused'
  | 'misdirected'
  | 'connect-failed'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'abandoned'

/** What an outcome says about the node that it came from. */
export type Blame = 'success' | 'failure' | 'neutral'

/** Why a node is not tried now, or not before the others. */
export type SkipReason =
  | 'held'
  | 'draining'
  /** It says that it can't answer for that home's residents now. */
  | 'not-ready-for-home'
  | 'unhealthy'
  | 'breaker-open'
  /** Its breaker is half open, and the request could not be moved if it failed. */
  | 'on-trial'
  /** It has as many requests open as it can take. */
  | 'full'
  /** What is left of it is kept for its own region's residents. */
  | 'reserved'
  /** Its region has lent as much as it agreed to. */
  | 'quota-spent'
  | 'stalled'
  | 'ramping'

export type Verdict = 'ok' | SkipReason
