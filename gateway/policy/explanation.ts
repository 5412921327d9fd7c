// Why a request of a home would go where: the router's own functions, asked about the conditions of a moment.
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Verdict } from '../model/outcome.ts'
import type { NodeReadings } from '../model/readings.ts'
import type { LevelName } from '../model/region.ts'
import type { Home } from '../model/snapshot.ts'
import { conditionOf } from './condition.ts'
import { type Condition, isServing, judge } from './eligibility.ts'
import { mix, pairDraw } from './hash.ts'
import { type Choice, type Fleet, isBorrowed, nextNode, type SelectionSettings } from './selection.ts'
import type { PlanReason, Prospect } from './words.ts'

/** What is known of a node, with what a further request would cost it. */
export interface Known extends Condition {
  /** Peak-EWMA of its latency, ms. */
  readonly costMs: number
}

export interface ExplainedRequest {
  /** It may be sent again to another node if one fails it. */
  readonly canRetry: boolean
  /** Keyed 32-bit hash of the resident; `null` for residents at large. */
  readonly key: number | null
}

export interface ExplanationSettings {
  readonly selection: SelectionSettings
  readonly attempts: { readonly maxAttempts: number }
  readonly standby: { readonly warmShare: number }
}

export interface ExplainedNode {
  readonly node: NodeId
  /** For this resident; for residents at large a ramp is told by `ramp` and `firstShare` alone. */
  readonly verdict: Verdict
  readonly inFlight: number
  /** `null`: not bounded. */
  readonly limit: number | null
  readonly ramp: number
  /** Share of residents whose requests would go here first; of one resident 1 or 0. */
  readonly firstShare: number
}

export interface ExplainedLevel {
  readonly level: LevelName
  readonly region: RegionId
  readonly nodes: readonly ExplainedNode[]
}

export interface PlannedTry {
  readonly node: NodeId
  readonly level: LevelName
  readonly region: RegionId
  readonly verdict: Verdict
  readonly why: PlanReason
}

export interface Explanation {
  readonly home: RegionId
  readonly canRetry: boolean
  /** Whether it is about one resident, or about residents at large: then `plan` is of those that most are like. */
  readonly ofOneResident: boolean
  readonly levels: readonly ExplainedLevel[]
  /**
   * Which node first, which if that one fails, and so on. A request that can't be sent again goes on only where nothing
   * of it has reached the node before.
   */
  readonly plan: readonly PlannedTry[]
  readonly prospect: Prospect
  /** Share of requests that go past the nearest level first, to keep donors warm; the plan is of the others. */
  readonly warmShare: number
}

/** Residents that stand for all. */
const sampleSize = 512

/**
 * The plan holds if nothing changes between the tries; that is also how the router would go on, node by node.
 *
 * @param known By node; one that is missing is being taken out.
 */
export function explain(
  home: Home,
  known: ReadonlyMap<NodeId, Known>,
  request: ExplainedRequest,
  settings: ExplanationSettings,
): Explanation {
  const fleet = fleetOf(known)
  const { canRetry } = request
  const planFor = (key: number): PlannedTry[] => planOf(home, fleet, { canRetry, key }, settings)
  const keys = request.key === null ? sample() : [request.key]
  const firsts = new Map<NodeId, { count: number; readonly key: number }>()
  for (const key of keys) {
    const pick = nextNode(home, fleet, { canRetry, key, tried: [] }, settings.selection)
    if (pick === null) continue
    const first = firsts.get(pick.node.id)
    if (first === undefined) firsts.set(pick.node.id, { count: 1, key })
    else first.count += 1
  }
  const [most] = [...firsts.values()].sort((a, b) => b.count - a.count)
  const plan = most === undefined ? [] : planFor(most.key)
  const levels = home.levels.map((level) => ({
    level: level.name,
    region: level.region,
    nodes: level.nodes.map(({ id, seed }) => {
      const condition = known.get(id)
      const draw = request.key === null ? 0 : pairDraw(request.key, seed)
      return {
        node: id,
        verdict: condition === undefined ? 'draining' : judge(condition, draw, canRetry, isBorrowed(level)),
        inFlight: condition?.inFlight ?? 0,
        limit: condition === undefined || condition.limit === Infinity ? null : condition.limit,
        ramp: condition?.ramp ?? 0,
        firstShare: (firsts.get(id)?.count ?? 0) / keys.length,
      }
    }),
  }))
  return {
    home: home.region.code,
    canRetry,
    ofOneResident: request.key !== null,
    levels,
    plan,
    prospect: plan.length > 0 ? 'served' : mayBusyServe(home, known) ? 'waits' : 'nobody',
    warmShare: canRetry && home.levels.length > 1 ? settings.standby.warmShare : 0,
  }
}

/** What was read of the nodes, for {@link explain}. */
export const knownOf = (nodes: readonly NodeReadings[]): ReadonlyMap<NodeId, Known> =>
  new Map(nodes.map((readings) => [readings.node, { ...conditionOf(readings), costMs: readings.costMs }]))

/** The same keys each time, spread like hashes, so that the same conditions are explained in the same words. */
const sample = (): number[] => Array.from({ length: sampleSize }, (_, i) => mix(i + 1))

/** The router's fleet, over what was read. */
export const fleetOf = (known: ReadonlyMap<NodeId, Known>): Fleet => ({
  judge: ({ id }, draw, canRetry, borrowed) => {
    const condition = known.get(id)
    return condition === undefined ? 'draining' : judge(condition, draw, canRetry, borrowed)
  },
  inFlight: ({ id }) => known.get(id)?.inFlight ?? 0,
  cost: ({ id }) => {
    const condition = known.get(id)
    return condition === undefined ? Infinity : condition.costMs * (condition.inFlight + 1)
  },
})

function planOf(
  home: Home,
  fleet: Fleet,
  { key, canRetry }: Omit<Choice, 'tried'>,
  { selection, attempts }: ExplanationSettings,
): PlannedTry[] {
  const tries: PlannedTry[] = []
  const tried: NodeId[] = []
  while (tries.length < attempts.maxAttempts) {
    const pick = nextNode(home, fleet, { key, canRetry, tried }, selection)
    if (pick === null) break
    const { node, level } = pick
    tried.push(node.id)
    const verdict = fleet.judge(node, pairDraw(key, node.seed), canRetry, isBorrowed(level))
    tries.push({ node: node.id, level: level.name, region: level.region, verdict, why: reasonOf(verdict) })
  }
  return tries
}

const reasonOf = (verdict: Verdict): PlanReason =>
  verdict === 'ok'
    ? 'in-good-standing'
    : verdict === 'stalled' || verdict === 'ramping'
      ? 'put-off'
      : 'doubted'

const mayBusyServe = (home: Home, known: ReadonlyMap<NodeId, Known>): boolean =>
  home.levels.some(({ nodes }) =>
    nodes.some(({ id }) => {
      const condition = known.get(id)
      return condition !== undefined && isServing(condition)
    }),
  )
