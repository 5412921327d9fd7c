// Puts an operator's hold into the registry, as the admin API does, for tests of what it does to traffic.
import { holdPrefix, holdSchema } from '../../gateway/control/intent/holds.ts'
import { compareAndSet, type Registry, type RegistryWrite } from '../../gateway/control/registry/port.ts'
import type { Hold, HoldKind } from '../../gateway/model/hold.ts'
import { nodeId } from '../../gateway/model/ids.ts'

export const aHold = (
  node: string,
  kind: HoldKind,
  expiresAt: number,
  changes: Partial<Hold> = {},
): Hold => ({
  id: `hold-${node}`,
  kind,
  scope: { node: nodeId(node) },
  owner: 'test',
  reason: 'a test',
  createdAt: 1,
  expiresAt,
  ...changes,
})

export const putHold = (registry: Registry, hold: Hold): Promise<RegistryWrite> =>
  compareAndSet(registry, holdPrefix + hold.id, holdSchema.parse(hold), 0)
