// May this node be tried now? One judgement for the router, the preview and the planner.
import type { BreakerState, Health } from '../model/events.ts'
import type { RegionId } from '../model/ids.ts'
import type { Verdict } from '../model/outcome.ts'
import type { HoldKind } from '../model/hold.ts'

/** What is known of a node at this moment. Measured facts and the operator's decision stand apart. */
export interface Condition {
  readonly hold: HoldKind | null
  readonly health: Health
  readonly breaker: BreakerState
  /** Homes that it says it can't answer for now, such as one whose copy is too old. */
  readonly notReadyFor: ReadonlySet<RegionId>
  /** The half-open breaker's one trial is under way. */
  readonly trialUnderWay: boolean
  /** It has waited long enough for a request that could be moved: any other may be the trial. */
  readonly trialOverdue: boolean
  /** Attempts in a row that passed their hedge delay while the node answered nothing at all. */
  readonly silentOverdue: number
  readonly inFlight: number
  /** Requests it may have open at once: the least of what was declared, reported and learnt. */
  readonly limit: number
  /** The node asked to be left alone for now. */
  readonly pausing: boolean
  /** Share of `limit` kept for its own region's residents, 0 to 1. */
  readonly homeReserve: number
  /** Its region has lent as much as it agreed to. */
  readonly quotaSpent: boolean
  /** Share of its usual residents that it takes while it is ramped back, 0 to 1. */
  readonly ramp: number
}

/**
 * So many overdue attempts without one answer between them mean that the node is frozen, long before a probe or
 * a deadline can say so. One is common (1 % of attempts pass a p99 delay), three in a silent row are not.
 */
export const stallThreshold = 3

/**
 * @param home The request's; `null` where it is asked of no home in particular. What a node says that it can't answer for, nobody sends it: neither as a last resort, since
 *   its answer could be worse than none, nor by an operator's bypass, which doubts what we measure and not what it says.
 * @param draw This request's own draw for this node, in (0, 1]: the same resident stays on one side of a ramp.
 * @param borrowed Whether the request is another region's.
 * @param canRetry Whether the request could be moved if the node failed it. One that can't is a trial only where no
 *   other has come for long, or the node would never be tried by those who only send such.
 */
export function judge(
  condition: Condition,
  home: RegionId | null,
  draw: number,
  canRetry: boolean,
  borrowed: boolean,
): Verdict {
  if (condition.hold === 'trip') return 'held'
  if (condition.hold === 'drain') return 'draining'
  if (home !== null && condition.notReadyFor.has(home)) return 'not-ready-for-home'
  if (condition.inFlight >= condition.limit || condition.pausing) return 'full'
  if (borrowed) {
    if (condition.quotaSpent) return 'quota-spent'
    if (overflowSlots(condition) === 0) return 'reserved'
  }
  if (condition.hold === 'bypass') return 'ok'
  if (condition.health === 'down') return condition.breaker === 'closed' ? 'unhealthy' : 'breaker-open'
  if (condition.breaker === 'open') return 'breaker-open'
  if (condition.breaker === 'half-open') {
    if (condition.trialUnderWay) return 'breaker-open'
    return canRetry || condition.trialOverdue ? 'ok' : 'on-trial'
  }
  if (condition.silentOverdue >= stallThreshold) return 'stalled'
  if (draw > condition.ramp) return 'ramping'
  return 'ok'
}

/**
 * Requests a node may still take from residents of other regions.
 *
 * @param load.limit Requests that it may have open at once.
 * @param load.inFlight Requests open to it now, its own residents' included.
 * @param load.homeReserve Share of `limit` kept for its own residents, 0 to 1; rounds up.
 * @returns Whole requests, never negative.
 * @example overflowSlots({ limit: 100, inFlight: 60, homeReserve: 0.3 }) // 10
 */
export function overflowSlots(load: Pick<Condition, 'limit' | 'inFlight' | 'homeReserve'>): number {
  if (load.limit === Infinity) return Infinity
  return Math.max(0, load.limit - Math.ceil(load.limit * load.homeReserve) - load.inFlight)
}

/**
 * Whether the node would serve residents of `home` if it had room: what is wrong with it, if anything, is only that it is busy.
 * @param evenIfSilent Its silence is not held against it.
 */
export const isServing = (condition: Condition, home: RegionId | null, evenIfSilent = false): boolean =>
  condition.hold !== 'trip' &&
  condition.hold !== 'drain' &&
  !(home !== null && condition.notReadyFor.has(home)) &&
  (condition.hold === 'bypass' ||
    (condition.health !== 'down' &&
      condition.breaker === 'closed' &&
      (evenIfSilent || condition.silentOverdue < stallThreshold)))
