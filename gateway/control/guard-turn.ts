// The turn of guarded changes: of two that were judged by the same facts, wherever they were made, only one is written.
import { z } from 'zod'
import type { Registry, RegistryChange } from './registry/port.ts'
import { readTyped } from './registry/typed.ts'

/** Counts guarded changes. Each is written with this record as it was before its facts were read. */
export const turnKey = 'guards/turn'

const turnSchema = z.strictObject({ count: z.int().nonnegative() })

/** Another guarded change was written since the turn was read: what this one was judged by is no longer so. */
export class TurnTaken extends Error {
  override readonly name = 'TurnTaken'
}

/**
 * To be read before the facts, and to be written with the change that they are for, as the first: of what a commit finds
 * changed, that is told.
 * @throws {RegistryUnavailable}
 */
export async function nextTurn(registry: Registry): Promise<RegistryChange> {
  const turn = await readTyped(registry, turnKey, turnSchema)
  return {
    key: turnKey,
    value: { count: (turn?.value.count ?? 0) + 1 },
    expectedVersion: turn?.version ?? 0,
  }
}
