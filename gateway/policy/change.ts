// A change of the federation on paper: what regions, holds and mode would be, and what differs in the forecast.
import type { Hold } from '../model/hold.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { Region } from '../model/region.ts'
import type { Forecast, HomeForecast } from './forecast.ts'

/** What a snapshot is made of. */
export interface FederationInput {
  readonly regions: readonly Region[]
  /** Those in force. */
  readonly holds: readonly Hold[]
  /** `null`: the configuration file's. */
  readonly mode: Mode | null
}

export type Change =
  | { readonly hold: Hold }
  | { readonly endHold: string }
  | { readonly mode: Mode | null }
  /** The federation as an enrolment's step would make it, an activation or a withdrawal. */
  | { readonly regions: readonly Region[] }
  | { readonly removeNode: NodeId }

/** One after the other, as they are listed. A hold whose id is there already takes its place. */
export const changed = (input: FederationInput, changes: readonly Change[]): FederationInput =>
  changes.reduce(after, input)

function after(input: FederationInput, change: Change): FederationInput {
  if ('hold' in change) {
    const { hold } = change
    return { ...input, holds: [...input.holds.filter(({ id }) => id !== hold.id), hold] }
  }
  if ('endHold' in change) {
    return { ...input, holds: input.holds.filter(({ id }) => id !== change.endHold) }
  }
  if ('mode' in change) return { ...input, mode: change.mode }
  if ('regions' in change) return { ...input, regions: change.regions }
  return { ...input, regions: input.regions.map((region) => without(region, change.removeNode)) }
}

const without = (region: Region, node: NodeId): Region =>
  region.nodes.some(({ id }) => id === node)
    ? { ...region, nodes: region.nodes.filter(({ id }) => id !== node) }
    : region

/** Requests a second without the change and with it. */
export interface Moved<Name> {
  readonly name: Name
  readonly before: number
  readonly after: number
}

export interface Differences {
  /** Homes that another level serves, or more or fewer of whom are served. */
  readonly homes: readonly {
    readonly home: RegionId
    /** By `level region`. */
    readonly levels: readonly Moved<string>[]
    readonly shed: Moved<'shed'> | null
  }[]
  readonly regions: readonly Moved<RegionId>[]
  readonly nodes: readonly Moved<NodeId>[]
}

/** Below this many requests a second nothing has moved. */
const noise = 0.001

/** Only what differs. */
export function differences(before: Forecast, after: Forecast): Differences {
  const was = new Map(before.homes.map((home) => [home.home, home]))
  return {
    homes: after.homes.flatMap((home) => {
      const earlier = was.get(home.home)
      const levels = moved(levelRates(earlier), levelRates(home))
      const [shed = null] = moved(
        new Map([['shed' as const, earlier?.shedRps ?? 0]]),
        new Map([['shed' as const, home.shedRps]]),
      )
      return levels.length > 0 || shed !== null ? [{ home: home.home, levels, shed }] : []
    }),
    regions: moved(regionRates(before), regionRates(after)),
    nodes: moved(nodeRates(before), nodeRates(after)),
  }
}

const levelRates = (home: HomeForecast | undefined): Map<string, number> =>
  new Map(home?.byLevel.map(({ level, region, rps }) => [`${level} ${region}`, rps]))

const regionRates = ({ regions }: Forecast): Map<RegionId, number> =>
  new Map(regions.map(({ region, ownRps, borrowedRps }) => [region, ownRps + borrowedRps]))

const nodeRates = ({ nodes }: Forecast): Map<NodeId, number> =>
  new Map(nodes.map(({ node, rps }) => [node, rps]))

function moved<Name>(before: ReadonlyMap<Name, number>, after: ReadonlyMap<Name, number>): Moved<Name>[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .map((name) => ({ name, before: before.get(name) ?? 0, after: after.get(name) ?? 0 }))
    .filter((one) => Math.abs(one.after - one.before) > noise)
}
