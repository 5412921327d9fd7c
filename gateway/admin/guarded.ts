// What guards say of a change before it is made.
import type { Operator } from '../model/operator.ts'
import type { Change } from '../policy/change.ts'
import { wordsOf } from '../policy/guard-words.ts'
import type { Plane } from './plane.ts'
import { previewOf } from './preview-of.ts'
import { Problem } from './problem.ts'

/**
 * Judges changes and writes them, one operator's after the other's: two that are each harmless and together leave nobody
 * would both pass otherwise.
 * @throws {Problem} `guarded`, and whatever `write` throws.
 */
export const guardedWrite = <T>(
  plane: Plane,
  operator: Operator,
  override: boolean,
  changes: () => Promise<readonly Change[]>,
  write: () => Promise<T>,
): Promise<T> =>
  plane.guarded.run(async () => {
    await plane.hearAgain()
    await mustPassGuards(plane, operator, await changes(), override)
    return write()
  })

/**
 * What speaks against a change is seen in the preview of what it would do. An objection takes somebody's word that it
 * shall be done all the same; leaving residents with nobody at all takes an admin's.
 * @throws {Problem} `guarded`
 */
async function mustPassGuards(
  plane: Plane,
  operator: Operator,
  changes: readonly Change[],
  override: boolean,
): Promise<void> {
  const { guards } = await previewOf(plane, changes)
  const objections = guards.filter(({ severity }) => severity === 'object')
  const mayOverride =
    override && (operator.roles.includes('admin') || objections.every(({ isHard }) => !isHard))
  if (objections.length === 0 || mayOverride) return
  const words = objections.map((one) => wordsOf(one).en)
  const way = objections.some(({ isHard }) => isHard)
    ? 'an admin may do it all the same with "override": true'
    : 'do it all the same with "override": true, and say why in the reason'
  const told = objections.map((one) => Object.assign({ words: wordsOf(one) }, one))
  throw new Problem('guarded', `guards object: ${words.join('; ')}. Wait, or ${way}`, {
    extra: { guards: told },
  })
}
