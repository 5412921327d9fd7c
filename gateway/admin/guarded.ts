// What guards say of a change before it is made.
import { nextTurn, TurnTaken } from '../control/guard-turn.ts'
import type { RegistryChange } from '../control/registry/port.ts'
import type { Operator } from '../model/operator.ts'
import type { Change } from '../policy/change.ts'
import { wordsOf } from '../policy/guard-words.ts'
import type { Plane } from './plane.ts'
import { previewOf } from './preview-of.ts'
import { Problem } from './problem.ts'

/** Gateways that write at the same moment take turns; so often a change is judged before it is given up. */
const triesAtMost = 8

/**
 * Judges and writes, one operator's change after the other's, at this gateway and at all others of its registry: two that
 * are each harmless and together leave nobody would both pass otherwise. Where another gateway was quicker, all is done
 * anew, from what stands then.
 * @param work Has to write `turn` with its change.
 * @throws {Problem} `conflict` where others are quicker each time, and whatever `work` throws.
 */
export const inTurn = <T>(
  plane: Pick<Plane, 'guarded' | 'registry' | 'hearAgain'>,
  work: (turn: RegistryChange) => Promise<T>,
): Promise<T> =>
  plane.guarded.run(async () => {
    for (let i = 0; i < triesAtMost; i++) {
      // Before the facts: what is written after this undoes it.
      const turn = await nextTurn(plane.registry)
      await plane.hearAgain()
      try {
        return await work(turn)
      } catch (cause) {
        if (!(cause instanceof TurnTaken)) throw cause
      }
    }
    const detail = `other gateways made guarded changes ${triesAtMost} times in a row meanwhile; nothing was written, try again`
    throw new Problem('conflict', detail)
  })

/**
 * Judges changes by guards and writes them; see {@link inTurn}.
 * @throws {Problem} `guarded`, and whatever `write` throws.
 */
export const guardedWrite = <T>(
  plane: Plane,
  operator: Operator,
  override: boolean,
  changes: () => Promise<readonly Change[]>,
  write: (turn: RegistryChange) => Promise<T>,
): Promise<T> =>
  inTurn(plane, async (turn) => {
    await mustPassGuards(plane, operator, await changes(), override)
    return write(turn)
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
