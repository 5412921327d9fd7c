// Who would take how much of the traffic: the router's order of levels, on a snapshot that may be another than the one in force.
import type { NodeId, RegionId } from '../model/ids.ts'
import type { NodeReadings } from '../model/readings.ts'
import type { CodeNode, LevelName } from '../model/region.ts'
import type { RouteClass } from '../model/route-class.ts'
import type { Home, Level, Snapshot } from '../model/snapshot.ts'
import { byWeight, type CapacityBasis, capacityOf, type NodeCapacity } from './capacity.ts'
import { type CohortEffect, type DrillEffect, noEffect } from './drill-effect.ts'
import { leftOf, lent, slowed, wholeHomes } from './forecast-drills.ts'
import { type RegionForecast, RegionRoom } from './region-room.ts'
import { isBorrowed } from './selection.ts'

export interface HomeForecast {
  readonly home: RegionId
  readonly rps: number
  readonly byLevel: readonly { readonly level: LevelName; readonly region: RegionId; readonly rps: number }[]
  /** What no level has room for, or no level is there for. */
  readonly shedRps: number
  /** The same by class, least important first to go; `null` where it is not known how traffic divides into classes. */
  readonly shedByClass: Readonly<Record<RouteClass, number>> | null
  /** Levels that it has, whether they serve or not. */
  readonly levels: number
  /** Of them those with a node that serves; where a drill is on, serves its cohort too, however small that is. */
  readonly levelsLeft: number
}

export interface NodeForecast {
  readonly node: NodeId
  readonly region: RegionId
  readonly serves: boolean
  readonly rps: number
  /** Of its region's requests, 0 to 1. */
  readonly share: number
  readonly capacityRps: number | null
  readonly capacityBasis: CapacityBasis
}

export interface Forecast {
  /** All homes, those without traffic too. */
  readonly homes: readonly HomeForecast[]
  readonly regions: readonly RegionForecast[]
  readonly nodes: readonly NodeForecast[]
  readonly totals: {
    readonly rps: number
    readonly servedRps: number
    readonly borrowedRps: number
    readonly shedRps: number
    /** Of all serving nodes; `null` as soon as one is unknown. */
    readonly capacityRps: number | null
  }
  /** Nodes that would take traffic though nothing says how much they can take: there the forecast may be wrong. */
  readonly unknownCapacity: readonly NodeId[]
}

export interface ForecastInput {
  readonly snapshot: Pick<Snapshot, 'homes' | 'nodes' | 'lending' | 'holds'>
  readonly nodes: readonly NodeReadings[]
  /** Requests a second by home; homes that the snapshot has not are left out. */
  readonly traffic: ReadonlyMap<RegionId, number>
  /** Share of requests that keep donors warm, 0 to 1. */
  readonly warmShare: number
  /** How a home's requests divide into classes, shares that sum to 1, where that is known. */
  readonly classShares?: Readonly<Record<RouteClass, number>>
  /** What drills come to. */
  readonly drills?: DrillEffect
}

/**
 * Of a federation that has settled: ramps are over, health and breakers stay as they are. Own residents first; then
 * level by level what their own region can't take, within what each donor lends; homes that want more of a donor than
 * it has get the same part of what they want. The rest is shed. A region of unknown capacity takes what comes.
 */
export function forecast(input: ForecastInput): Forecast {
  const rooms = roomsOf(input)
  const homes = homesOf(input, rooms)
  settle(homes, rooms, input.warmShare)
  const regions = [...rooms.values()].map((room) => room.forecast())
  const nodes = [...rooms.values()].flatMap(nodesOf)
  const sum = (read: (one: HomeForecast) => number): number => made.reduce((all, one) => all + read(one), 0)
  const made = wholeHomes(homes.map((home) => homeForecast(home, rooms, input.classShares)))
  const shedRps = sum((home) => home.shedRps)
  const rps = sum((home) => home.rps)
  return {
    homes: made,
    regions,
    nodes,
    totals: {
      rps,
      servedRps: rps - shedRps,
      borrowedRps: regions.reduce((all, { borrowedRps }) => all + borrowedRps, 0),
      shedRps,
      capacityRps: regions.reduce<number | null>(
        (all, { capacityRps }) => (all === null || capacityRps === null ? null : all + capacityRps),
        0,
      ),
    },
    unknownCapacity: nodes.filter((one) => one.rps > 0 && one.capacityRps === null).map(({ node }) => node),
  }
}

/** All residents of a home, or those of them who meet the same. */
interface HomeFlow {
  readonly region: RegionId
  readonly rps: number
  /** Levels in all, those included that can't answer for it now. */
  readonly of: number
  readonly levels: readonly Level[]
  /** Requests a second by level's place. */
  readonly taken: number[]
  left: number
}

type Rooms = ReadonlyMap<RegionId, RegionRoom>

function roomsOf({ snapshot, nodes, drills = noEffect }: ForecastInput): Map<RegionId, RegionRoom> {
  const read = new Map(nodes.map((one) => [one.node, one]))
  const byRegion = new Map<RegionId, NodeCapacity[]>()
  for (const node of snapshot.nodes.values()) {
    const hold = snapshot.holds.get(node.id)?.kind ?? null
    const readings = slowed(read.get(node.id), drills.slower.get(node.id) ?? 0)
    const capacity = leftOf(capacityOf(node, readings, hold), drills)
    const known = byRegion.get(node.region)
    if (known === undefined) byRegion.set(node.region, [capacity])
    else known.push(capacity)
  }
  return new Map(
    [...byRegion].map(([region, all]) => {
      const lending = lent(snapshot.lending.get(region), drills.lends.get(region) ?? 1)
      return [region, new RegionRoom(region, all, lending)]
    }),
  )
}

function homesOf({ snapshot, traffic, nodes, drills = noEffect }: ForecastInput, rooms: Rooms): HomeFlow[] {
  const read = new Map(nodes.map((one) => [one.node, one]))
  const capacities = drills.cohorts.size === 0 ? [] : [...rooms.values()].flatMap((room) => room.capacities)
  const serving = new Set(capacities.filter(({ serves }) => serves).map(({ node }) => node.id))
  const flow = ({ region: { code }, levels: all }: Home, share: number, cohort?: CohortEffect): HomeFlow => {
    const rps = Math.max(0, traffic.get(code) ?? 0) * share
    const isLeft = ({ id }: CodeNode): boolean =>
      !isBarred(read.get(id), code) && (cohort === undefined || (serving.has(id) && !cohort.without.has(id)))
    const levels = all.filter((level) => level.nodes.some(isLeft))
    return { region: code, rps, of: all.length, levels, taken: levels.map(() => 0), left: rps }
  }
  return [...snapshot.homes.values()].flatMap((home) => {
    const cohort = drills.cohorts.get(home.region.code)
    if (cohort === undefined) return [flow(home, 1)]
    return [flow(home, 1 - cohort.share), flow(home, cohort.share, cohort)]
  })
}

/** It says itself that it can't answer for that home. */
const isBarred = (readings: NodeReadings | undefined, home: RegionId): boolean =>
  readings?.notReadyFor.includes(home) === true

function settle(homes: readonly HomeFlow[], rooms: Rooms, warmShare: number): void {
  // Own residents before those of others, whoever comes first.
  for (const home of homes)
    takeAt(home, 0, rooms, home.left * (1 - (home.levels.length > 1 ? warmShare : 0)), true)
  if (warmShare > 0) {
    for (const home of homes) if (home.levels.length > 1) takeAt(home, 1, rooms, home.rps * warmShare, false)
    for (const home of homes) takeAt(home, 0, rooms, home.left, true)
  }
  borrow(homes, rooms)
}

/** @param own Only where the level is the home's own region; else only where it is not. */
function takeAt(home: HomeFlow, place: number, rooms: Rooms, atMost: number, own: boolean): void {
  const level = home.levels[place]
  if (level === undefined || isBorrowed(level) === own) return
  take(home, place, rooms.get(level.region)?.take(Math.min(atMost, home.left), isBorrowed(level)) ?? 0)
}

function take(home: HomeFlow, place: number, rps: number): void {
  home.taken[place] = (home.taken[place] ?? 0) + rps
  home.left = Math.max(0, home.left - rps)
}

/** Changes of what donors grant below which it has settled, and rounds after which it is taken as it is. */
const settled = 1e-9
const roundsAtMost = 200

/**
 * What homes can't serve, level by level. A donor grants all homes that come to it the same part of what they want,
 * however many levels they have come past; what one grants decides what comes to the next, so this is repeated until
 * nothing changes. Grants only ever fall from 1, so that it ends.
 */
function borrow(homes: readonly HomeFlow[], rooms: Rooms): void {
  const grants = new Map<RegionId, number>()
  for (let round = 0; round < roundsAtMost; round++) {
    const wanted = new Map<RegionId, number>()
    for (const { region, rps } of wishes(homes, grants)) wanted.set(region, (wanted.get(region) ?? 0) + rps)
    let change = 0
    for (const [region, rps] of wanted) {
      const grant = Math.min(1, (rooms.get(region)?.toLend ?? 0) / rps)
      change = Math.max(change, Math.abs((grants.get(region) ?? 1) - grant))
      grants.set(region, grant)
    }
    if (change < settled) break
  }
  for (const { home, place, region, rps } of wishes(homes, grants)) {
    take(home, place, rooms.get(region)?.take(rps * (grants.get(region) ?? 0), true) ?? 0)
  }
}

/** What each home would ask of each of its donors, after what those before have granted. */
function* wishes(
  homes: readonly HomeFlow[],
  grants: ReadonlyMap<RegionId, number>,
): Generator<{ home: HomeFlow; place: number; region: RegionId; rps: number }> {
  for (const home of homes) {
    let rps = home.left
    for (const [place, level] of home.levels.entries()) {
      if (!isBorrowed(level)) continue
      if (rps <= 0) break
      yield { home, place, region: level.region, rps }
      rps *= 1 - (grants.get(level.region) ?? 1)
    }
  }
}

function homeForecast(
  { region, rps, of, levels, taken, left }: HomeFlow,
  rooms: Rooms,
  classShares: ForecastInput['classShares'],
): HomeForecast {
  const shedRps = left < rps * 1e-9 ? 0 : left
  return {
    home: region,
    rps,
    byLevel: levels.flatMap((level, place) => {
      const at = taken[place] ?? 0
      return at > 0 ? [{ level: level.name, region: level.region, rps: at }] : []
    }),
    shedRps,
    shedByClass: classShares === undefined ? null : leastFirst(shedRps, rps, classShares),
    levels: of,
    levelsLeft: levels.filter((level) => rooms.get(level.region)?.serves === true).length,
  }
}

function leastFirst(
  shedRps: number,
  rps: number,
  shares: Readonly<Record<RouteClass, number>>,
): Record<RouteClass, number> {
  const deferrable = Math.min(shedRps, rps * shares.deferrable)
  const important = Math.min(shedRps - deferrable, rps * shares.important)
  return { critical: shedRps - deferrable - important, important, deferrable }
}

function nodesOf(room: RegionRoom): NodeForecast[] {
  const { total, capacities } = room
  const rps = byWeight(
    total,
    capacities.map((one) => ({ serves: one.serves, weight: one.node.weight, rps: one.rps })),
  )
  return capacities.map(({ node, serves, rps: capacityRps, basis }, i) => ({
    node: node.id,
    region: node.region,
    serves,
    rps: rps[i] ?? 0,
    share: total === 0 ? 0 : (rps[i] ?? 0) / total,
    capacityRps,
    capacityBasis: basis,
  }))
}
