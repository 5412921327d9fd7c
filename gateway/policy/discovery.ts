// What instances in a catalogue make of the federation: nodes of the file's regions. Nothing there can break the file's.
import type { Hold } from '../model/hold.ts'
import { isNodeId, isRegionId, type NodeId, type RegionId } from '../model/ids.ts'
import type { NodeTrust } from '../model/node-trust.ts'
import type { CodeNode, Region } from '../model/region.ts'
import { codeNode } from './code-node.ts'

/** An instance as a catalogue lists it. */
export interface Instance {
  readonly serviceId: string
  readonly machine: string
  readonly address: string
  readonly port: number
  readonly meta: Readonly<Record<string, string>>
  readonly health: 'passing' | 'critical' | 'maintenance'
  /** It is there, and nothing of it can be used. */
  readonly isUnreadable: boolean
}

export interface FoundNode {
  readonly node: CodeNode
  readonly health: Instance['health']
  /** Wall-clock ms since which it is not listed any more; `null` while it is. */
  readonly goneSince: number | null
}

export interface DiscoverySettings {
  /** How long nodes that are not listed any more are kept for what they have in flight, ms. */
  readonly drainMs: number
  /** This process's part of what a node takes, above 0 to 1. */
  readonly share: number
  /** How the nodes' certificates are judged; `null`: by the system's authorities. */
  readonly trust: NodeTrust | null
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

/**
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
  const listed = new Map<NodeId, FoundNode>()
  const inOrder = instances.toSorted(
    (a, b) => compare(a.serviceId, b.serviceId) || compare(a.machine, b.machine),
  )
  for (const instance of inOrder) {
    const read = nodeOf(instance, settings)
    if (typeof read === 'string') warnings.push(`${nameOf(instance)}: ${read}; left out`)
    else if (listed.has(read.id))
      warnings.push(`${nameOf(instance)}: node ${read.id} is listed twice; left out`)
    else listed.set(read.id, { node: read, health: instance.health, goneSince: null })
  }
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
  return { nodes: [...listed.values(), ...kept], warnings }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const nameOf = ({ serviceId, machine }: Instance): string => `catalogue's ${serviceId} on ${machine}`

/** @returns Why it is none. */
function nodeOf(
  { serviceId, address, port, meta, isUnreadable }: Instance,
  settings: DiscoverySettings,
): CodeNode | string {
  if (isUnreadable) return 'its port or another field is of no kind that can be used'
  const { region = '', node = serviceId, scheme = 'http', weight = '1', limit = '' } = meta
  if (!isRegionId(region)) return `Meta region is "${region}", it must be a six-digit code such as 610100`
  if (!isNodeId(node))
    return `Meta node is "${node}", it must be 1 to 64 letters, digits, dots, dashes or underscores`
  if (scheme !== 'http' && scheme !== 'https') return `Meta scheme is "${scheme}", it must be http or https`
  const [parts, places] = [positive(weight), limit === '' ? Infinity : positive(limit)]
  if (parts === null || parts > 1000) return `Meta weight is "${weight}", it must be above 0 to 1000`
  if (places === null)
    return `Meta limit is "${limit}", it must be 1 or more requests open at once, or left out`
  if (port === 0) return 'it has no port'
  const url = `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  if (!URL.canParse(url) || new URL(url).pathname !== '/') return `its address is "${address}", no host`
  return codeNode({
    id: node,
    region,
    url,
    weight: parts,
    limit: places === Infinity ? Infinity : Math.max(1, Math.floor(places * settings.share)),
    trust: settings.trust,
    // It may be no more than an enrolled one may: whoever may register a service is not whoever wrote the file.
    isEnrolled: true,
  })
}

function positive(text: string): number | null {
  const value = /^\d{1,7}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0
  return value > 0 ? value : null
}

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
  const origins = new Set(regions.flatMap(({ nodes }) => nodes.map(({ origin }) => origin)))
  const byCode = new Map(regions.map((region) => [region.code, region]))
  const used: FoundNode[] = []
  for (const one of all) {
    const { id, region, origin } = one.node
    const why = refusal(byCode.get(region), region, taken.has(id), origins.has(origin), origin)
    if (why === null) {
      taken.add(id)
      origins.add(origin)
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
    warnings,
  }
}

/** What the file and enrolments say comes before a catalogue. @returns `null`: it is taken. */
function refusal(
  region: Region | undefined,
  code: RegionId,
  isNameTaken: boolean,
  isPlaceTaken: boolean,
  origin: string,
): string | null {
  if (region === undefined) return `the configuration has no region ${code}`
  if (!region.discovers)
    return `region ${code} lists its nodes in the configuration; set discover: true there`
  if (isNameTaken) return 'there is a node of that name already'
  return isPlaceTaken ? `there is a node at ${origin} already` : null
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
