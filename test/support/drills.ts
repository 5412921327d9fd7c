// Puts a drill's lease into the registry, as its runner does, for tests of what it does to traffic.
import { drillLeasePrefix, drillLeaseSchema } from '../../gateway/control/intent/drills.ts'
import { compareAndSet, type Registry, type RegistryWrite } from '../../gateway/control/registry/port.ts'
import type { Drill, DrillLease, DrillPlan, Fault } from '../../gateway/model/drill.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'

/** On 610100's own nodes, for everybody, at once, for a minute. */
export function aLease(fault: Fault, changes: Partial<DrillLease> = {}): DrillLease {
  const now = Math.floor(Date.now())
  return {
    drill: `drill-${fault.kind}`,
    home: regionId('610100'),
    scope: { regions: [], nodes: [], levels: ['local'] },
    fault,
    cohort: 1,
    startedAt: now,
    faultAt: now,
    endsAt: now + 60_000,
    expiresAt: now + 60_000,
    ...changes,
  }
}

export const onNode = (id: string): DrillLease['scope'] => ({ regions: [], nodes: [nodeId(id)], levels: [] })

export const putLease = (registry: Registry, lease: DrillLease): Promise<RegistryWrite> =>
  compareAndSet(registry, drillLeasePrefix + lease.home, drillLeaseSchema.parse(lease), 0)

export async function endLease(registry: Registry, lease: DrillLease): Promise<void> {
  const key = drillLeasePrefix + lease.home
  const record = await registry.read(key)
  if (record !== null) await compareAndSet(registry, key, null, record.version)
}

/** One resident in twenty of 610100 meets refused connections at home, for a minute. */
export const aPlan = (changes: Partial<DrillPlan> = {}): DrillPlan => ({
  name: 'a drill',
  reason: 'a test',
  scope: { homes: [regionId('610100')], regions: [], nodes: [], levels: ['local'] },
  fault: { kind: 'refuse' },
  cohort: 0.05,
  seconds: 60,
  objectives: { detectMs: null, shiftMs: null, recoverMs: null, errorShare: null, addedP99Ms: null },
  stop: { errorShare: 0.05, addedP99Ms: null },
  schedule: null,
  ...changes,
})

export const aDrill = (changes: Partial<Drill> = {}): Drill => ({
  ...aPlan(),
  id: 'd1',
  owner: { id: 'o1', name: 'Li' },
  state: 'draft',
  createdAt: 1,
  approver: null,
  changedAt: 1,
  nextAt: null,
  run: null,
  ...changes,
})
