// A drill's leases in the registry: one for each home, written and taken away together with the drill's own record.
import type { Drill, DrillLease, DrillRun } from '../../model/drill.ts'
import type { RegionId } from '../../model/ids.ts'
import { drillLeasePrefix, drillLeaseSchema } from '../intent/drills.ts'
import type { Registry, RegistryChange } from '../registry/port.ts'
import { putOffEveryMs } from './standby.ts'

/** So long a drill goes on without anybody who puts its leases off, ms. */
export const leaseMs = 15_000
/** A lease that has less left is put off, ms: often enough for others to see that somebody does it. */
export const renewBelowMs = leaseMs - putOffEveryMs

const leaseOf = (drill: Drill, home: RegionId, run: DrillRun, expiresAt: number): DrillLease => {
  const { regions, nodes, levels } = drill.scope
  const { startedAt, faultAt, endsAt } = run
  return {
    drill: drill.id,
    home,
    scope: { regions, nodes, levels },
    fault: drill.fault,
    cohort: drill.cohort,
    startedAt,
    faultAt,
    endsAt,
    expiresAt: Math.min(expiresAt, endsAt),
  }
}

/**
 * @returns `null` where another drill has a living lease of one of the homes; the registry itself keeps off one that
 *   comes between this and the commit.
 * @throws {RegistryUnavailable}
 */
export async function newLeases(
  registry: Registry,
  drill: Drill,
  run: DrillRun,
  now: number,
): Promise<RegistryChange[] | null> {
  const changes: RegistryChange[] = []
  for (const home of drill.scope.homes) {
    const key = drillLeasePrefix + home
    const record = await registry.read(key)
    const lease = drillLeaseSchema.safeParse(record?.value).data
    if (lease !== undefined && Math.min(lease.expiresAt, lease.endsAt) > now) return null
    const value = leaseOf(drill, home, run, now + leaseMs)
    changes.push({ key, value, expectedVersion: record?.version ?? 0 })
  }
  return changes
}

/** What is left of a drill's leases, by home. */
export interface LeasesLeft {
  readonly changes: RegistryChange[]
  /** Of every home one is there and alive. */
  readonly alive: boolean
  /** Until the first of them ends, ms; 0 where one has ended. */
  readonly leftMs: number
}

/** @param then What becomes of them: put off to then, or taken away where `null`. @throws {RegistryUnavailable} */
export async function ownLeases(
  registry: Registry,
  drill: Drill,
  now: number,
  then: number | null,
): Promise<LeasesLeft> {
  const changes: RegistryChange[] = []
  let leftMs = Infinity
  for (const home of drill.scope.homes) {
    const key = drillLeasePrefix + home
    const record = await registry.read(key)
    const lease = drillLeaseSchema.safeParse(record?.value).data
    if (record === null || lease === undefined || lease.drill !== drill.id) {
      leftMs = 0
      continue
    }
    leftMs = Math.min(leftMs, Math.max(0, lease.expiresAt - now))
    const value = then === null ? null : { ...lease, expiresAt: Math.min(then, lease.endsAt) }
    changes.push({ key, value, expectedVersion: record.version })
  }
  return { changes, alive: leftMs > 0, leftMs }
}
