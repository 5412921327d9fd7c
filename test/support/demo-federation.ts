// The demo federation as plain values: Xi'an with two nodes, helped by Xianyang, Weinan and the province.
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { Lending, Region } from '../../gateway/model/region.ts'
import type { HoldKind, Hold } from '../../gateway/model/hold.ts'
import { aNode, aRegion } from './values.ts'

export const xian = regionId('610100')
export const xianyang = regionId('610400')
export const weinan = regionId('610500')
export const shaanxi = regionId('610000')

const lendsAll: Lending = { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 }

/** @param lends Terms by region's code, where they are others than everything. */
export function demoFederation(lends: Readonly<Record<string, Partial<Lending>>> = {}): Region[] {
  const region = (code: string, names: readonly string[], changes: Partial<Region> = {}): Region =>
    aRegion(code, {
      nodes: names.map((id) => aNode(id, { region: regionId(code) })),
      lends: { ...lendsAll, ...lends[code] },
      province: code === shaanxi ? null : shaanxi,
      ...changes,
    })
  return [
    region(xian, ['xian-1', 'xian-2'], { neighbours: [xianyang, weinan] }),
    region(xianyang, ['xianyang-1'], { neighbours: [xian] }),
    region(weinan, ['weinan-1'], { neighbours: [xian] }),
    region(shaanxi, ['shaanxi-1'], { tier: 'province' }),
  ]
}

/** On a whole region, such as `610100`, or on a node. */
export const holdOn = (what: string, kind: HoldKind = 'trip'): Hold => ({
  id: `hold-${what}`,
  kind,
  scope: /^\d{6}$/.test(what) ? { region: regionId(what) } : { node: nodeId(what) },
  owner: 'test',
  reason: 'a test',
  createdAt: 1,
  expiresAt: 2,
})
