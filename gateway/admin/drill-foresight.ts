// What is foreseen of a drill by the operators' API, and what speaks against its beginning.
import { drillPrefix, drillSchema } from '../control/drills/records.ts'
import { listTyped } from '../control/registry/typed.ts'
import type { Drill } from '../model/drill.ts'
import {
  type DrillObjection,
  type DrillObjectionName,
  needsApproval,
  objectionsTo,
  planWarnings,
} from '../policy/drill-guards.ts'
import type { Plane } from './plane.ts'
import { Problem } from './problem.ts'

/** @throws {RegistryUnavailable} */
export async function foreseenOf(plane: Plane, drill: Drill) {
  const others = (await listTyped(plane.registry, drillPrefix, drillSchema)).map(({ value }) => value)
  const facts = await plane.drills.foresee(drill, others)
  const reached = new Set(Object.values(facts.radius.nodes).flat())
  const isBounded = plane
    .regions()
    .some(
      ({ nodes, lends }) =>
        nodes.some(({ id }) => reached.has(id)) &&
        (lends.limitRps !== Infinity || lends.limitConcurrent !== Infinity),
    )
  return {
    facts,
    objections: objectionsTo(drill, facts),
    warnings: planWarnings(drill, plane.drills.paces(), isBounded, plane.drills.bounds()),
    needsApproval: needsApproval(drill, facts.radius, facts.settings),
  }
}

/** @throws {Problem} `guarded`, with what was found and what would be right. */
export function mustPass(objections: readonly DrillObjection[], override: boolean): void {
  const isHard = objections.some((one) => one.isHard)
  if (objections.length === 0 || (override && !isHard)) return
  const names = [...new Set(objections.map(told))]
  const way = isHard
    ? 'nobody may overrule that'
    : 'begin all the same with "override": true, and say why in the reason'
  throw new Problem('guarded', `guards object: ${names.join(', ')}; ${way}`, { extra: { objections } })
}

const hasNumbers: ReadonlySet<DrillObjectionName> = new Set<DrillObjectionName>([
  'nobody-left',
  'levels-left',
  'sheds',
  'room-left',
  'wait-period',
])

function told({ name, home, node, found, bound }: DrillObjection): string {
  const where = [home, node].filter((one) => one !== null).join(' ')
  const numbers = hasNumbers.has(name) ? `: found ${Math.round(found * 100) / 100}, bound ${bound}` : ''
  return `${name}${where === '' ? '' : ` (${where})`}${numbers}`
}
