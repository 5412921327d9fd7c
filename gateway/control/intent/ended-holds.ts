// Holds whose lease ended long ago: every process reads all that stands there with every decision of anybody.
import type { Registry } from '../registry/port.ts'
import { listTyped } from '../registry/typed.ts'
import { holdPrefix, holdSchema } from './holds.ts'

/** So long they stay, for whoever looks at the registry itself; the audit log has them for good. ms. */
export const keptAfterEndMs = 3_600_000

/**
 * Removes them; who has been told of their end is told nothing new.
 * @param wallMs Wall-clock milliseconds since 1970.
 * @throws {RegistryUnavailable}
 */
export async function forgetEndedHolds(registry: Registry, wallMs: number): Promise<void> {
  for (const { value, version } of await listTyped(registry, holdPrefix, holdSchema)) {
    if (wallMs - value.expiresAt <= keptAfterEndMs) continue
    // Whoever was quicker has removed it too.
    await registry.commit([{ key: holdPrefix + value.id, value: null, expectedVersion: version }])
  }
}
