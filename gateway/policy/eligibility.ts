// May this node be tried now? One judgement for the router, the preview and the planner.
import type { BreakerState, Health } from '../model/events.ts'
import type { Verdict } from '../model/outcome.ts'
import type { HoldKind } from '../model/snapshot.ts'

/** What is known of a node at this moment. Measured facts and the operator's decision stand apart. */
export interface Condition {
  readonly hold: HoldKind | null
  readonly health: Health
  readonly breaker: BreakerState
  /** The half-open breaker's one trial is under way. */
  readonly trialUnderWay: boolean
  /** Attempts in a row that passed their hedge delay while the node answered nothing at all. */
  readonly silentOverdue: number
  readonly inFlight: number
  /** Requests it may have open at once. */
  readonly limit: number
  /** Share of its usual residents that it takes while it is ramped back, 0 to 1. */
  readonly ramp: number
}

/**
 * So many overdue attempts without one answer between them mean that the node is frozen, long before a probe or
 * a deadline can say so. One is common (1 % of attempts pass a p99 delay), three in a silent row are not.
 */
export const stallThreshold = 3

/**
 * @param draw This request's own draw for this node, in (0, 1]: the same resident stays on one side of a ramp.
 * @param canRetry Whether the request could be moved if the node failed it. One that can't is no trial.
 */
export function judge(condition: Condition, draw: number, canRetry: boolean): Verdict {
  if (condition.hold === 'trip') return 'held'
  if (condition.hold === 'drain') return 'draining'
  if (condition.inFlight >= condition.limit) return 'full'
  if (condition.hold === 'bypass') return 'ok'
  if (condition.health === 'down') return condition.breaker === 'closed' ? 'unhealthy' : 'breaker-open'
  if (condition.breaker === 'open') return 'breaker-open'
  if (condition.breaker === 'half-open') return condition.trialUnderWay || !canRetry ? 'breaker-open' : 'ok'
  if (condition.silentOverdue >= stallThreshold) return 'stalled'
  if (draw > condition.ramp) return 'ramping'
  return 'ok'
}
