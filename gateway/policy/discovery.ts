// What instances in a catalogue make of the federation: nodes of the file's regions. Nothing there can break the file's.
import type { Hold } from '../model/hold.ts'
import type { NodeId } from '../model/ids.ts'
import type { CodeNode, Region } from '../model/region.ts'
import { catalogueNode, type Instance, type NodeSettings, shown } from './catalogue-node.ts'

export interface FoundNode {
  readonly node: CodeNode
  readonly health: Instance['health']
  /** Wall-clock ms since which it is not listed any more; `null` while it is. */
  readonly goneSince: number | null
}

export interface DiscoverySettings extends NodeSettings {
  /** How long nodes that are not listed any more are kept for what they have in flight, ms. */
  readonly drainMs: number
}

/** Of one catalogue, such as that of a datacentre. */
export interface Found {
  readonly nodes: readonly FoundNode[]
  /** Why one was left out, one line each. */
  readonly warnings: readonly string[]
}

export const nothingFound: Found = { nodes: [], warnings: [] }

/** A list that lost more of its nodes than this share at once is not believed, 0 to 1. */
export const believedLoss = 0.5
/** Nodes of one catalogue that are used; each costs probes and a place in every snapshot. */
export const mostNodes = 2000
/** Lines of what is amiss with one catalogue. */
export const mostWarnings = 20

/**
 * Whoever is in use stays, lest a false instance takes over another's id, address or place.
 * @param before What was made of the list before.
 * @param wallMs Wall-clock milliseconds since 1970.
 */
export function foundNodes(
  instances: readonly Instance[],
  before: Found,
  wallMs: number,
  settings: DiscoverySettings,
): Found {
  const warnings: string[] = []
  const listed = listedNodes(instances, before, settings, warnings)
  const missing = before.nodes.filter(({ node }) => !listed.has(node.id))
  const were = before.nodes.filter(({ goneSince }) => goneSince === null).length
  // Consul answers an empty list too where a token has lost its rights or data are gone. Nodes say themselves how they are.
  const isBelieved = listed.size >= were * believedLoss
  const kept = missing.flatMap(({ node, health, goneSince }): FoundNode[] => {
    if (!isBelieved) return [{ node, health, goneSince }]
    const since = goneSince ?? wallMs
    return wallMs - since >= settings.drainMs ? [] : [{ node, health, goneSince: since }]
  })
  if (!isBelieved) {
    warnings.push(
      `the catalogue lists ${listed.size} nodes where there were ${were}; those that are missing stay until it lists at least half again, or this gateway starts anew`,
    )
  }
  const inOrder = [...listed.values()].toSorted((a, b) => compare(a.node.id, b.node.id))
  return { nodes: [...inOrder, ...kept].slice(0, mostNodes), warnings: atMost(warnings) }
}

interface Claim {
  readonly instance: Instance
  readonly node: CodeNode
  readonly isInUse: boolean
}

function listedNodes(
  instances: readonly Instance[],
  before: Found,
  settings: DiscoverySettings,
  warnings: string[],
): Map<NodeId, FoundNode> {
  const inUse = new Map(before.nodes.map(({ node }) => [node.id, node.connectionKey]))
  const claims = instances.flatMap((instance): Claim[] => {
    const node = catalogueNode(instance, settings)
    if (typeof node !== 'string')
      return [{ instance, node, isInUse: inUse.get(node.id) === node.connectionKey }]
    warnings.push(`${nameOf(instance)}: ${node}; left out`)
    return []
  })
  const holders = Map.groupBy(claims.toSorted(byClaim), ({ node }) => node.id)
  const firsts = [...holders.values()].flatMap(([first, ...others]) => {
    for (const { instance, node } of others)
      warnings.push(`${nameOf(instance)}: node ${node.id} is listed twice; left out`)
    return first === undefined ? [] : [first]
  })
  const listed = new Map<NodeId, FoundNode>()
  const origins = new Map<string, NodeId>()
  let beyond = 0
  for (const { instance, node } of firsts.toSorted(byUse)) {
    const twin = origins.get(node.origin)
    if (twin !== undefined)
      warnings.push(`${nameOf(instance)}: ${node.origin} is the address of node ${twin} already; left out`)
    else if (listed.size === mostNodes) beyond += 1
    else {
      origins.set(node.origin, node.id)
      listed.set(node.id, { node, health: instance.health, goneSince: null })
    }
  }
  if (beyond > 0)
    warnings.unshift(
      `the catalogue lists more than ${mostNodes} nodes; ${beyond} are left out, of those that came last`,
    )
  return listed
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const isCritical = ({ instance }: Claim): number => Number(instance.health === 'critical')
const byUse = (a: Claim, b: Claim): number =>
  Number(b.isInUse) - Number(a.isInUse) ||
  compare(a.instance.serviceId, b.instance.serviceId) ||
  compare(a.instance.machine, b.instance.machine)
/** A node that has moved off a dead machine gives its id to the one that lives. */
const byClaim = (a: Claim, b: Claim): number => isCritical(a) - isCritical(b) || byUse(a, b)

const nameOf = ({ serviceId, machine }: Instance): string =>
  `catalogue's ${shown(serviceId)} on ${shown(machine)}`

const atMost = (warnings: readonly string[]): readonly string[] =>
  warnings.length <= mostWarnings
    ? warnings
    : [...warnings.slice(0, mostWarnings - 1), `and ${warnings.length - mostWarnings + 1} more like these`]

export interface DiscoveryEffect {
  readonly regions: readonly Region[]
  /** Nodes that are in maintenance, or not listed any more. */
  readonly drains: readonly Hold[]
  /** Nodes that the catalogue finds critical: one bad probe of ours is enough then. */
  readonly suspects: ReadonlySet<NodeId>
  readonly warnings: readonly string[]
}

/** @param regions The file's. @param drainEndsAt Wall-clock ms until which the drains last. */
export function withFound(
  regions: readonly Region[],
  found: readonly Found[],
  wallMs: number,
  drainMs: number,
): DiscoveryEffect {
  const warnings = found.flatMap((one) => one.warnings)
  const all = found.flatMap(({ nodes }) => nodes)
  if (all.length === 0) return { regions, drains: [], suspects: new Set(), warnings }
  const taken = new Set(regions.flatMap(({ nodes }) => nodes.map(({ id }) => id)))
  const origins = new Map(regions.flatMap(({ nodes }) => nodes.map(({ origin, id }) => [origin, id])))
  const byCode = new Map(regions.map((region) => [region.code, region]))
  const used: FoundNode[] = []
  for (const one of all) {
    const { id, region, origin } = one.node
    const why = refusal(byCode.get(region), one.node, taken.has(id), origins.get(origin))
    if (why === null) {
      taken.add(id)
      origins.set(origin, id)
      used.push(one)
    } else warnings.push(`catalogue's node ${id}: ${why}; left out`)
  }
  const byRegion = Map.groupBy(used, ({ node }) => node.region)
  return {
    regions: regions.map((region) => {
      const more = byRegion.get(region.code)?.map(({ node }) => node) ?? []
      return more.length === 0
        ? region
        : Object.freeze({ ...region, nodes: Object.freeze([...region.nodes, ...more]) })
    }),
    drains: used.flatMap((one) => drainOf(one, wallMs, drainMs)),
    suspects: new Set(used.filter(({ health }) => health === 'critical').map(({ node }) => node.id)),
    warnings: atMost(warnings),
  }
}

/** What the file and enrolments say comes before a catalogue. @returns `null`: it is taken. */
function refusal(
  home: Region | undefined,
  { region, origin }: CodeNode,
  isNameTaken: boolean,
  twin: NodeId | undefined,
): string | null {
  if (home === undefined) return `the configuration has no region ${region}`
  if (!home.discovers)
    return `region ${region} lists its nodes in the configuration; set discover: true there`
  if (isNameTaken) return 'there is a node of that name already'
  return twin === undefined ? null : `${origin} is the address of node ${twin} already`
}

/** 31 December 9999, wall-clock ms. */
const endOfTime = 253_402_214_400_000

function drainOf({ node, health, goneSince }: FoundNode, wallMs: number, drainMs: number): Hold[] {
  if (goneSince === null && health !== 'maintenance') return []
  const reason = goneSince === null ? 'in maintenance by the catalogue' : 'not in the catalogue any more'
  return [
    {
      id: `discovery-${node.id}`,
      kind: 'drain',
      scope: { node: node.id },
      owner: 'discovery',
      reason,
      createdAt: goneSince ?? 0,
      // As long as it stands there; whoever looks at it again decides.
      expiresAt: goneSince === null ? endOfTime : goneSince + Math.max(drainMs, wallMs - goneSince),
    },
  ]
}
