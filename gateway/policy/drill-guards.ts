// What speaks against a drill before it begins, and what can't come of it.
import type { Drill, DrillPlan } from '../model/drill.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { NodeReadings } from '../model/readings.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { type FaultBounds, foreseenAs } from './drill-effect.ts'
import { targetsOf } from './drill-scope.ts'
import { type Guarded, guardDefaults } from './guards.ts'

export interface DrillSettings {
  /** Above any of these another person approves. */
  readonly approvalAbove: { readonly homes: number; readonly cohort: number; readonly trafficShare: number }
  /** From the end of one drill until the next of the same home, ms. */
  readonly waitMs: number
  /** See {@link GuardSettings}. */
  readonly minLevels: number
  readonly minRoomShare: number
}

export const drillDefaults: DrillSettings = {
  approvalAbove: { homes: 1, cohort: 0.1, trafficShare: 0.05 },
  waitMs: 10 * 60_000,
  minLevels: guardDefaults.minLevels,
  minRoomShare: guardDefaults.minRoomShare,
}

/** How much a drill touches. */
export interface BlastRadius {
  readonly homes: readonly RegionId[]
  /** By home, those that its residents in the cohort meet the fault at. */
  readonly nodes: Readonly<Record<string, readonly NodeId[]>>
  readonly cohort: number
  /** Share of all requests that are in the cohort, 0 to 1; `null` where there is no traffic. */
  readonly trafficShare: number | null
}

/** @param traffic Requests a second by home. */
export function blastRadius(
  plan: DrillPlan,
  snapshot: Pick<Snapshot, 'homes'>,
  traffic: ReadonlyMap<RegionId, number>,
): BlastRadius {
  const { homes } = plan.scope
  const all = [...traffic.values()].reduce((sum, rps) => sum + rps, 0)
  const reached = homes.reduce((sum, home) => sum + (traffic.get(home) ?? 0), 0)
  return {
    homes,
    nodes: Object.fromEntries(
      homes.map((code) => {
        const home = snapshot.homes.get(code)
        return [code, home === undefined ? [] : targetsOf(plan.scope, home).map(({ id }) => id)]
      }),
    ),
    cohort: plan.cohort,
    trafficShare: all === 0 ? null : (reached / all) * plan.cohort,
  }
}

/** A lost registry has no cohort: it is everybody's. */
export const needsApproval = (
  plan: DrillPlan,
  { homes, cohort, trafficShare }: BlastRadius,
  { approvalAbove }: DrillSettings = drillDefaults,
): boolean =>
  plan.fault.kind === 'registry-loss' ||
  homes.length > approvalAbove.homes ||
  cohort > approvalAbove.cohort ||
  (trafficShare ?? 0) > approvalAbove.trafficShare

export const drillObjections = [
  /** Somebody has stopped all drills. */
  'lever',
  /** Another drill of that home is on. */
  'home-busy',
  'unknown-home',
  /** No node of that home's levels is in scope. */
  'nothing-in-scope',
  /** What happens is not measured here, so nothing could stop it. */
  'not-measured',
  /** No level would be left. */
  'nobody-left',
  'levels-left',
  'sheds',
  'room-left',
  'emergency',
  /** A node of that home's levels is failing already. */
  'incident',
  'wait-period',
] as const
export type DrillObjectionName = (typeof drillObjections)[number]

export interface DrillObjection {
  readonly name: DrillObjectionName
  /** Nobody may overrule it. */
  readonly isHard: boolean
  readonly home: RegionId | null
  readonly node: NodeId | null
  /** What it found, and what would be right; as in {@link Guarded}, or ms. */
  readonly found: number
  readonly bound: number
}

export interface DrillFacts {
  /** Wall-clock milliseconds since 1970. */
  readonly now: number
  readonly settings: Pick<DrillSettings, 'waitMs'>
  readonly mode: Mode
  readonly isLeverSet: boolean
  readonly isMeasured: boolean
  readonly snapshot: Pick<Snapshot, 'homes' | 'drills'>
  readonly nodes: readonly NodeReadings[]
  readonly radius: BlastRadius
  /** Of the preview of it. */
  readonly guards: readonly Guarded[]
  readonly others: readonly Drill[]
}

/** What speaks against beginning now, what nobody may overrule first. */
export function objectionsTo(
  drill: DrillPlan & { readonly id: string },
  facts: DrillFacts,
): DrillObjection[] {
  return [...objections(drill, facts)].toSorted((a, b) => Number(b.isHard) - Number(a.isHard))
}

function* objections(
  drill: DrillPlan & { readonly id: string },
  facts: DrillFacts,
): Generator<DrillObjection> {
  const { now, snapshot, radius, others } = facts
  const { waitMs } = facts.settings
  if (facts.isLeverSet) yield hard('lever')
  if (!facts.isMeasured) yield hard('not-measured')
  for (const home of drill.scope.homes) {
    if (!snapshot.homes.has(home)) yield { ...hard('unknown-home'), home }
    else if (drill.fault.kind !== 'registry-loss' && radius.nodes[home]?.length === 0) {
      yield { ...hard('nothing-in-scope'), home, bound: 1 }
    }
    if (snapshot.drills.some((lease) => lease.home === home && lease.drill !== drill.id)) {
      yield { ...hard('home-busy'), home, found: 1 }
    }
    const ago = now - lastEnd(home, drill.id, others)
    if (ago < waitMs) yield { ...soft('wait-period'), home, found: ago, bound: waitMs }
  }
  if (facts.mode === 'emergency') yield soft('emergency')
  yield* incidents(drill, facts)
  for (const { guard, severity, isHard, home, found, bound } of facts.guards) {
    if (severity !== 'object' || !isDrillObjection(guard)) continue
    yield { name: guard, isHard, home, node: null, found, bound }
  }
}

function* incidents({ scope }: DrillPlan, { snapshot, nodes }: DrillFacts): Generator<DrillObjection> {
  const readings = new Map(nodes.map((one) => [one.node, one]))
  for (const code of scope.homes) {
    for (const { nodes: ofLevel } of snapshot.homes.get(code)?.levels ?? []) {
      for (const { id } of ofLevel) {
        const one = readings.get(id)
        if (one !== undefined && isFailing(one)) yield { ...soft('incident'), home: code, node: id, found: 1 }
      }
    }
  }
}

/** It is known to fail by itself; what operators decided of it is no failure. */
export const isFailing = ({ health, breaker }: Pick<NodeReadings, 'health' | 'breaker'>): boolean =>
  health === 'down' || breaker === 'open'

const lastEnd = (home: RegionId, except: string, others: readonly Drill[]): number =>
  others.reduce(
    (last, { id, scope, run }) =>
      id !== except && scope.homes.includes(home) ? Math.max(last, run?.endedAt ?? -Infinity) : last,
    -Infinity,
  )

const isDrillObjection = (name: string): name is DrillObjectionName =>
  drillObjections.some((one) => one === name)

const soft = (name: DrillObjectionName): DrillObjection => ({
  name,
  isHard: false,
  home: null,
  node: null,
  found: 1,
  bound: 0,
})
const hard = (name: DrillObjectionName): DrillObjection => ({ ...soft(name), isHard: true })

/** What the gateway takes at the least, ms. */
export interface Paces {
  /** Until an open breaker lets one request through. */
  readonly breakerWaitMs: number
  readonly slowStartMs: number
  /** Until probes have found a node down, at the most. */
  readonly probesFindMs: number
}

/**
 * - `recovers-slower`: an open breaker and a ramp take longer than the objective allows;
 * - `detects-slower`: so do probes;
 * - `never-found`: slow answers are no failure, so that nothing is found out;
 * - `nothing-to-cut`: the donor's lending has no bound of which a part could be left, or all of it is left;
 * - `foreseen-gone`, `foreseen-slower`, `foreseen-retried`, `foreseen-unmoved`: what the preview takes the fault for,
 *   where that is not plain; see {@link FaultForeseen}.
 */
export const planWarningNames = [
  'recovers-slower',
  'detects-slower',
  'never-found',
  'nothing-to-cut',
  'foreseen-gone',
  'foreseen-slower',
  'foreseen-retried',
  'foreseen-unmoved',
] as const
export type PlanWarning = (typeof planWarningNames)[number]

/** @param hasBounds Some region in scope lends within bounds. */
export function planWarnings(
  { fault, objectives }: DrillPlan,
  paces: Paces,
  hasBounds: boolean,
  bounds: FaultBounds,
): PlanWarning[] {
  const { kind } = fault
  const as = foreseenAs(fault, bounds)
  const isPlain = as === 'cut' || (as === 'gone' && kind !== 'latency' && kind !== 'errors')
  const opens = kind === 'refuse' || kind === 'errors' || kind === 'blackhole'
  const recovery = paces.slowStartMs + (opens ? paces.breakerWaitMs : 0)
  const { detectMs, recoverMs } = objectives
  return [
    ...(recoverMs !== null && recoverMs < recovery ? ['recovers-slower' as const] : []),
    ...(kind === 'probe-fail' && detectMs !== null && detectMs < paces.probesFindMs
      ? ['detects-slower' as const]
      : []),
    ...(as === 'slower' && detectMs !== null ? ['never-found' as const] : []),
    ...(kind === 'quota-cut' && (fault.share === 1 || (fault.share > 0 && !hasBounds))
      ? ['nothing-to-cut' as const]
      : []),
    ...(isPlain ? [] : [`foreseen-${as}` as const]),
  ]
}
