// What is written when somebody begins a drill, or ends one that is on.
import type { Drill, DrillRun } from '../../model/drill.ts'
import type { Registry, RegistryChange } from '../registry/port.ts'
import type { Versioned } from '../registry/typed.ts'
import { newLeases, ownLeases } from './leases.ts'
import { drillPrefix } from './records.ts'

/**
 * When a drill that begins now puts its fault on, and takes it off.
 * @param now Wall-clock ms. @param overruled Names of objections that somebody overrules.
 */
export function startOf(
  { seconds }: Pick<Drill, 'seconds'>,
  now: number,
  aheadMs: number,
  overruled: readonly string[] = [],
): Pick<DrillRun, 'startedAt' | 'faultAt' | 'endsAt' | 'overruled'> {
  const startedAt = Math.floor(now)
  const faultAt = startedAt + Math.ceil(aheadMs)
  return { startedAt, faultAt, endsAt: faultAt + seconds * 1000, overruled }
}

/**
 * What is written when somebody begins a drill: it and its leases, together or not at all.
 * @returns `null` where another drill of one of its homes is on.
 */
export async function startWrites(
  registry: Registry,
  { value: drill, version }: Versioned<Drill>,
  started: Drill,
  now: number,
): Promise<RegistryChange[] | null> {
  if (started.run === null) throw new TypeError(`drill ${drill.id} has not begun`)
  const leases = await newLeases(registry, drill, started.run, now)
  if (leases === null) return null
  return [{ key: drillPrefix + drill.id, value: started, expectedVersion: version }, ...leases]
}

/** What is written when somebody ends one that is on. */
export async function endWrites(
  registry: Registry,
  { value: drill, version }: Versioned<Drill>,
  ended: Drill,
  now: number,
): Promise<RegistryChange[]> {
  const { changes } = await ownLeases(registry, drill, now, null)
  return [{ key: drillPrefix + drill.id, value: ended, expectedVersion: version }, ...changes]
}
