// All drills, as whoever runs them reads them: what was measured of those that are over is cleared away in passing.
import type { Drill } from '../../model/drill.ts'
import type { Lock } from '../registry/lock.ts'
import { compareAndSet } from '../registry/port.ts'
import { listTyped, type Versioned } from '../registry/typed.ts'
import { drillPartPrefix, partsOf } from './part-record.ts'
import { drillPrefix, drillSchema } from './records.ts'

/** @throws {RegistryUnavailable} */
export async function listDrills({
  isHeld,
  registry,
}: Pick<Lock, 'isHeld' | 'registry'>): Promise<readonly Versioned<Drill>[]> {
  // Before the drills: one that begins meanwhile keeps what is measured of it.
  const parts = isHeld ? await registry.list(drillPartPrefix) : []
  const drills = await listTyped(registry, drillPrefix, drillSchema)
  const on = drills.filter(({ value }) => isOn(value)).map(({ value }) => partsOf(value.id))
  const old = parts.filter(({ key }) => !on.some((prefix) => key.startsWith(prefix)))
  for (const { key, version } of old) await compareAndSet(registry, key, null, version)
  return drills
}

const isOn = ({ state }: Drill): boolean => state === 'running' || state === 'restoring'
