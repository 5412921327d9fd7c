// The federation at a glance: every region and node with what it does now, and what wants somebody's attention.
import type { NodeHold } from '../model/hold.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { GatewayReadings, HomeReadings, LevelRate, NodeReadings, Readings } from '../model/readings.ts'
import type { LevelName, Tier } from '../model/region.ts'
import type { Home, Snapshot } from '../model/snapshot.ts'

/**
 * Of a home, worst first:
 * - `down`: no level serves;
 * - `impaired`: residents see failures, or are turned away;
 * - `helped`: another region answers most of its requests, or none of its own nodes serves;
 * - `strained`: fewer of its own nodes serve than it has;
 * - `well`.
 */
export const homeStates = ['down', 'impaired', 'helped', 'strained', 'well'] as const
export type HomeState = (typeof homeStates)[number]

export interface NodeStatus extends NodeReadings {
  readonly weight: number
  /** Holds that lie on it, the one that counts first. */
  readonly holds: readonly string[]
}

export interface RegionStatus {
  readonly region: RegionId
  readonly name: { readonly zh: string; readonly en: string }
  readonly tier: Tier
  readonly state: HomeState
  /** Its nodes that serve, of all that it has. */
  readonly nodesServing: number
  readonly nodes: readonly NodeStatus[]
  /** Who may answer for its residents, nearest first, with what each answers now. */
  readonly levels: readonly {
    readonly level: LevelName
    readonly region: RegionId
    readonly serves: boolean
    readonly rps: number
  }[]
  readonly rps: number
  readonly errorsPerSecond: number
  readonly shedPerSecond: number
  /** What its nodes do for other regions' residents, requests a second; of all who asked lately. */
  readonly lentRps: number
}

export interface Status {
  readonly at: number
  readonly gateway: GatewayReadings
  /** What operators have set; `null`: the configuration's. */
  readonly setMode: Mode | null
  readonly totals: {
    readonly rps: number
    readonly borrowedRps: number
    readonly errorsPerSecond: number
    readonly shedPerSecond: number
    readonly regions: number
    readonly nodes: number
    readonly nodesServing: number
    readonly holds: number
    /** Regions by state. */
    readonly byState: Readonly<Record<HomeState, number>>
  }
  /** In the snapshot's order. */
  readonly regions: readonly RegionStatus[]
}

/** Failures and refusals below this share of requests are no cause for a state of their own. */
const tolerableShare = 0.001

/** @param snapshot The one in force; nodes that no readings are of yet stand there without being probed. */
export function statusOf(readings: Readings, snapshot: Pick<Snapshot, 'homes' | 'holds' | 'mode'>): Status {
  const byNode = new Map(readings.nodes.map((node) => [node.node, node]))
  const byHome = new Map(readings.homes.map((home) => [home.home, home]))
  const lent = lentBy(readings.homes)
  const serves = servingRegions(byNode.values())
  const regions = [...snapshot.homes.values()].map((home) =>
    regionStatus(home, byNode, byHome.get(home.region.code), serves, snapshot.holds, lent),
  )
  const sum = (read: (one: RegionStatus) => number): number =>
    regions.reduce((all, one) => all + read(one), 0)
  const byState = { down: 0, impaired: 0, helped: 0, strained: 0, well: 0 }
  for (const { state } of regions) byState[state] += 1
  const holds = new Set([...snapshot.holds.values()].flatMap((held) => held.holds.map(({ id }) => id)))
  return {
    at: readings.at,
    gateway: readings.gateway,
    setMode: snapshot.mode,
    totals: {
      rps: sum(({ rps }) => rps),
      borrowedRps: sum(({ lentRps }) => lentRps),
      errorsPerSecond: sum((one) => one.errorsPerSecond),
      shedPerSecond: sum((one) => one.shedPerSecond),
      regions: regions.length,
      nodes: sum(({ nodes }) => nodes.length),
      nodesServing: sum(({ nodesServing }) => nodesServing),
      holds: holds.size,
      byState,
    },
    regions,
  }
}

type ByNode = ReadonlyMap<NodeId, NodeReadings>

function lentBy(homes: readonly HomeReadings[]): Map<RegionId, number> {
  const lent = new Map<RegionId, number>()
  for (const { byLevel } of homes) {
    for (const { level, region, rps } of byLevel) {
      if (region === null || level === 'local') continue
      lent.set(region, (lent.get(region) ?? 0) + rps)
    }
  }
  return lent
}

/** Busy is not down: a node that is only full serves. */
const isServing = (node: NodeReadings | undefined): boolean =>
  node !== undefined && (node.serving === 'ok' || node.serving === 'full')

/** Of all nodes: an enrolled donor is no home, and serves all the same. */
const servingRegions = (nodes: Iterable<NodeReadings>): Set<RegionId> =>
  new Set([...nodes].filter(isServing).map(({ region }) => region))

function regionStatus(
  { region, levels }: Home,
  byNode: ByNode,
  readings: HomeReadings | undefined,
  serves: ReadonlySet<RegionId>,
  holds: ReadonlyMap<NodeId, NodeHold>,
  lent: ReadonlyMap<RegionId, number>,
): RegionStatus {
  const nodes = region.nodes.flatMap((node): NodeStatus[] => {
    const known = byNode.get(node.id)
    if (known === undefined) return []
    const held = holds.get(node.id)?.holds ?? []
    return [{ ...known, weight: node.weight, holds: held.map(({ id }) => id) }]
  })
  const nodesServing = nodes.filter(isServing).length
  const rates = readings?.byLevel ?? []
  const shown = levels.map((level) => ({
    level: level.name,
    region: level.region,
    serves: serves.has(level.region),
    rps: rateAt(rates, level.name, level.region),
  }))
  return {
    region: region.code,
    name: region.name,
    tier: region.tier,
    state: stateOf(shown, nodesServing, region.nodes.length, readings),
    nodesServing,
    nodes,
    levels: shown,
    rps: readings?.rps ?? 0,
    errorsPerSecond: readings?.errorsPerSecond ?? 0,
    shedPerSecond: readings?.shedPerSecond ?? 0,
    lentRps: lent.get(region.code) ?? 0,
  }
}

const rateAt = (rates: readonly LevelRate[], level: LevelName, region: RegionId): number =>
  rates.find((one) => one.level === level && one.region === region)?.rps ?? 0

function stateOf(
  levels: RegionStatus['levels'],
  nodesServing: number,
  nodes: number,
  readings: HomeReadings | undefined,
): HomeState {
  if (!levels.some(({ serves }) => serves)) return 'down'
  const { rps = 0, errorsPerSecond = 0, shedPerSecond = 0 } = readings ?? {}
  if (errorsPerSecond + shedPerSecond > rps * tolerableShare) return 'impaired'
  const local = levels.find(({ level }) => level === 'local')
  const borrowed = levels.reduce((sum, { level, rps: at }) => sum + (level === 'local' ? 0 : at), 0)
  if (nodes > 0 && (nodesServing === 0 || borrowed > (local?.rps ?? 0))) return 'helped'
  return nodesServing < nodes ? 'strained' : 'well'
}
