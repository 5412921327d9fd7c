// What several workers measured of the same federation, as one gateway's readings.
import type { BreakerState, Health, ProtectionName } from '../model/events.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Verdict } from '../model/outcome.ts'
import type {
  GatewayReadings,
  HomeReadings,
  LevelRate,
  LimitBasis,
  NodeReadings,
  Readings,
} from '../model/readings.ts'
import { conditionOf } from './condition.ts'
import { judge } from './eligibility.ts'
import { protectionNames } from './protection.ts'

/** Worst first: of two states that as many workers see, the worse is told. */
const worstHealth: readonly Health[] = ['down', 'unknown', 'up']
const worstBreaker: readonly BreakerState[] = ['open', 'half-open', 'closed']
const vaguest: readonly LimitBasis[] = ['unproven', 'reported', 'declared', 'learnt']

/** Places of the workers that were asked. */
export interface Asked {
  readonly of: number
  /** Those that did not answer. */
  readonly missing: readonly number[]
}

/**
 * Counts and limits are sums, states are the majority's, latencies are weighted by traffic (p99: the highest).
 * `null` where no worker has answered.
 */
export function mergeReadings(all: readonly Readings[], asked: Asked): Readings | null {
  const [first] = all
  if (first === undefined) return null
  const nodes = grouped<NodeId, NodeReadings>(
    all.map(({ nodes }) => nodes),
    ({ node }) => node,
  )
  const homes = grouped<RegionId, HomeReadings>(
    all.map(({ homes }) => homes),
    ({ home }) => home,
  )
  return {
    at: Math.max(...all.map(({ at }) => at)),
    gateway: mergeGateways(
      first.gateway,
      all.map(({ gateway }) => gateway),
      asked,
    ),
    nodes: [...nodes.values()].map(mergeNode),
    homes: [...homes].map(([home, readings]) => mergeHome(home, readings)),
  }
}

/** The members of all lists by their name, in the order of the first list. */
function grouped<K, T>(lists: readonly (readonly T[])[], nameOf: (one: T) => K): Map<K, [T, ...T[]]> {
  const groups = new Map<K, [T, ...T[]]>()
  for (const list of lists) {
    for (const one of list) {
      const group = groups.get(nameOf(one))
      if (group === undefined) groups.set(nameOf(one), [one])
      else group.push(one)
    }
  }
  return groups
}

function mergeGateways(
  first: GatewayReadings,
  all: readonly GatewayReadings[],
  { of, missing }: Asked,
): GatewayReadings {
  const losses = all.flatMap(({ registryLost }) => registryLost ?? [])
  const level = (name: ProtectionName): number => protectionNames.indexOf(name)
  return {
    ...first,
    snapshotVersion: Math.max(...all.map(({ snapshotVersion }) => snapshotVersion)),
    mode: majority(
      all.map(({ mode }) => mode),
      ['emergency', 'peacetime'],
    ),
    registryLost: losses.toSorted((a, b) => a.since - b.since)[0] ?? null,
    protection: all
      .map(({ protection }) => protection)
      .reduce((worst, one) => (level(one) > level(worst) ? one : worst)),
    workers: { ready: all.length, of, missing },
    uptimeSeconds: Math.max(...all.map(({ uptimeSeconds }) => uptimeSeconds)),
  }
}

function mergeNode(all: readonly [NodeReadings, ...NodeReadings[]]): NodeReadings {
  const [first] = all
  if (all.length === 1) return first
  const health = majority(
    all.map((one) => one.health),
    worstHealth,
  )
  const condition = {
    health,
    breaker: majority(
      all.map((one) => one.breaker),
      worstBreaker,
    ),
    // What one of them has heard of it counts: it is not sent what it may not answer.
    notReadyFor: [...new Set(all.flatMap((one) => one.notReadyFor))],
    trialUnderWay: mostly(all, (one) => one.trialUnderWay),
    trialOverdue: mostly(all, (one) => one.trialOverdue),
    silentOverdue: reachedByHalf(all.map((one) => one.silentOverdue)),
    hold: first.hold,
    inFlight: total(all, (one) => one.inFlight),
    limit: totalOrNull(all, (one) => one.limit),
    homeReserve: first.homeReserve,
    quotaSpent: mostly(all, (one) => one.quotaSpent),
    pausing: mostly(all, (one) => one.pausing),
    ramp: total(all, (one) => one.ramp) / all.length,
  }
  const p99s = all.flatMap((one) => one.p99Ms ?? [])
  return {
    ...first,
    ...condition,
    healthDetail: all.find((one) => one.health === health)?.healthDetail ?? '',
    knownLimit: totalOrNull(all, (one) => one.knownLimit),
    limitBasis: vaguest.find((basis) => all.some((one) => one.limitBasis === basis)) ?? 'unproven',
    p99Ms: p99s.length === 0 ? null : Math.max(...p99s),
    meanMs: meanOf(all),
    easeMs: meanOrNull(all.flatMap((one) => one.easeMs ?? [])),
    costMs: total(all, (one) => one.costMs) / all.length,
    rps: total(all, (one) => one.rps),
    serving: merged(condition, first.region),
    lending: merged(condition, null),
  }
}

const merged = (condition: Parameters<typeof conditionOf>[0], own: RegionId | null): Verdict =>
  judge(conditionOf(condition), own, 0, true, own === null)

/** A worker that answered nothing of late says little, and what it says is of the last moments that it did. */
function meanOf(all: readonly NodeReadings[]): number | null {
  let weights = 0
  let sum = 0
  for (const { meanMs, rps } of all) {
    if (meanMs === null) continue
    const weight = Math.max(rps, 1e-6)
    weights += weight
    sum += meanMs * weight
  }
  return weights === 0 ? null : sum / weights
}

function mergeHome(home: RegionId, all: readonly HomeReadings[]): HomeReadings {
  const levels = grouped<string, LevelRate>(
    all.map(({ byLevel }) => byLevel),
    ({ level, region }) => `${level} ${region}`,
  )
  return {
    home,
    rps: total(all, ({ rps }) => rps),
    byLevel: [...levels.values()]
      .map((rates): LevelRate => {
        const { level, region } = rates[0]
        return { level, region, rps: total(rates, ({ rps }) => rps) }
      })
      .sort((a, b) => b.rps - a.rps),
    errorsPerSecond: total(all, (one) => one.errorsPerSecond),
    shedPerSecond: total(all, (one) => one.shedPerSecond),
  }
}

const total = <T>(all: readonly T[], read: (one: T) => number): number =>
  all.reduce((sum, one) => sum + read(one), 0)

/** Unknown as soon as one part is. */
function totalOrNull<T>(all: readonly T[], read: (one: T) => number | null): number | null {
  let sum = 0
  for (const one of all) {
    const part = read(one)
    if (part === null) return null
    sum += part
  }
  return sum
}

const mostly = <T>(all: readonly T[], read: (one: T) => boolean): boolean =>
  all.filter(read).length * 2 >= all.length

const meanOrNull = (all: readonly number[]): number | null =>
  all.length === 0 ? null : all.reduce((sum, one) => sum + one, 0) / all.length

/** The most that at least half of them reach. */
const reachedByHalf = (counts: readonly number[]): number =>
  counts.toSorted((a, b) => b - a)[Math.ceil(counts.length / 2) - 1] ?? 0

/** @param worstFirst All there are; of those that are seen as often, the first. */
function majority<T>(seen: readonly T[], worstFirst: readonly T[]): T {
  const times = (one: T): number => seen.filter((other) => other === one).length
  return worstFirst.reduce((most, one) => (times(one) > times(most) ? one : most))
}
