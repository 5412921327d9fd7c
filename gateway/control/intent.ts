// Operators' holds as they stand in the registry, read and written with their shape checked.
import { z } from 'zod'
import { isNodeId, type NodeId } from '../model/ids.ts'
import type { Hold } from '../model/snapshot.ts'
import type { Registry, RegistryRecord, RegistryWrite } from './registry/port.ts'

export const holdPrefix = 'holds/nodes/'

const holdSchema = z.strictObject({
  kind: z.enum(['trip', 'drain', 'bypass']),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(2000),
  expiresAt: z.number().int().positive(),
})

/**
 * The holds whose lease has not ended.
 * @param wallMs Wall-clock milliseconds since 1970.
 * @returns The holds, and the time at which the next of them ends.
 */
export function holdsAt(
  records: readonly RegistryRecord[],
  wallMs: number,
): { holds: Map<NodeId, Hold>; nextEnd: number | null; unreadable: string[] } {
  const holds = new Map<NodeId, Hold>()
  const unreadable: string[] = []
  let nextEnd: number | null = null
  for (const record of records) {
    const id = record.key.slice(holdPrefix.length)
    const parsed = holdSchema.safeParse(record.value)
    if (!parsed.success || !isNodeId(id)) {
      unreadable.push(record.key)
      continue
    }
    if (parsed.data.expiresAt <= wallMs) continue
    holds.set(id, parsed.data)
    nextEnd = Math.min(nextEnd ?? Infinity, parsed.data.expiresAt)
  }
  return { holds, nextEnd, unreadable }
}

/**
 * Puts a hold on a node, or ends one with `null`.
 * @param expectedVersion Version of the record that the caller saw; 0 for none.
 * @throws {z.ZodError} when the hold is malformed.
 */
export const putHold = (
  registry: Registry,
  node: NodeId,
  hold: Hold | null,
  expectedVersion: number,
): Promise<RegistryWrite> =>
  registry.compareAndSet(holdPrefix + node, hold === null ? null : holdSchema.parse(hold), expectedVersion)
