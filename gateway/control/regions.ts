// The federation as the configuration file tells it, turned into the model's values.
import type { Config, RegionConfig } from '../../config/schema.ts'
import { nodeId, type RegionId, regionId } from '../model/ids.ts'
import type { NodeTrust } from '../model/node-trust.ts'
import type { CodeNode, Region } from '../model/region.ts'
import { codeNode } from '../policy/code-node.ts'

/** Province by the first two digits of the code, nation by its tier, where such regions are listed. */
export function regionsOf(config: Config): Region[] {
  const codes = new Set(config.regions.map((region) => region.code))
  const nation = config.regions.find((region) => region.tier === 'nation')?.code
  return config.regions.map((region) => {
    const derived = `${region.code.slice(0, 2)}0000`
    const province = region.province ?? (codes.has(derived) ? derived : undefined)
    return Object.freeze({
      code: regionId(region.code),
      name: region.name,
      tier: region.tier,
      lends: Object.freeze({
        limitRps: region.lends.limitRps ?? Infinity,
        limitConcurrent: region.lends.limitConcurrent ?? Infinity,
        homeReserve: region.lends.homeReserve,
      }),
      nodes: Object.freeze(region.nodes.map((node) => toNode(region, node))),
      neighbours: Object.freeze(region.neighbours.map(regionId)),
      province: province === undefined || province === region.code ? null : regionId(province),
      nation: nation === undefined || nation === region.code ? null : regionId(nation),
      servesOwn: true,
      discovers: region.discover ?? region.nodes.length === 0,
    })
  })
}

/** Regions' names by code, as the configuration in force has them. */
export const regionNames =
  (config: () => Pick<Config, 'regions'>) =>
  (code: RegionId): Region['name'] | null =>
    config().regions.find((region) => region.code === code)?.name ?? null

const toNode = (region: RegionConfig, node: RegionConfig['nodes'][number]): CodeNode =>
  codeNode({
    id: nodeId(node.id),
    region: regionId(region.code),
    url: node.url,
    weight: node.weight,
    limit: node.limit ?? Infinity,
    trust: trustOf(node.tls),
    isEnrolled: false,
  })

/** `null` where nothing is said of it. */
export const trustOf = (tls: RegionConfig['nodes'][number]['tls']): NodeTrust | null =>
  tls === undefined
    ? null
    : {
        ca: tls.caFile === undefined ? null : { file: tls.caFile },
        pins: tls.pins,
        serverName: tls.serverName ?? null,
        clientCertificate: tls.clientCertificate ?? null,
      }
