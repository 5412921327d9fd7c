// Who may answer for a home region's residents, nearest first.
import type { RegionId } from '../model/ids.ts'
import type { LevelName, Region } from '../model/region.ts'
import type { Home, Level } from '../model/snapshot.ts'

/**
 * The levels of one home: its own nodes, its neighbours in the agreed order, its province, the nation.
 * A region stands once, at its nearest place; regions without nodes are left out.
 */
export function escalate(home: Region, regions: ReadonlyMap<RegionId, Region>): Home {
  const levels: Level[] = []
  const seen = new Set<RegionId>()
  const add = (name: LevelName, code: RegionId | null): void => {
    if (code === null || seen.has(code)) return
    seen.add(code)
    const region = regions.get(code)
    if (region === undefined || region.nodes.length === 0) return
    const totalWeight = region.nodes.reduce((sum, node) => sum + node.weight, 0)
    levels.push({ name, region: code, nodes: region.nodes, totalWeight })
  }
  add('local', home.code)
  for (const neighbour of home.neighbours) add('neighbour', neighbour)
  add('province', home.province)
  add('nation', home.nation)
  return { region: home, levels }
}
