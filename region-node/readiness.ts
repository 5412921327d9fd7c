// Whether the node should be sent requests, and if not, for which reasons.
import type { CodeService } from './service.ts'

export interface FailedCheck {
  readonly check: 'draining' | 'store' | 'data'
  readonly detail: string
}

/** Every check that fails; empty when the node is ready. */
export function failedChecks(service: CodeService): FailedCheck[] {
  const failed: FailedCheck[] = []
  if (service.gate.draining) failed.push({ check: 'draining', detail: 'the node is shutting down' })
  try {
    failed.push(...dataFaults(service))
  } catch {
    failed.push({ check: 'store', detail: 'the store does not answer' })
  }
  return failed
}

/** @throws When the store can't be read. */
function dataFaults({ store, regions, regionCode, clock, maxReplicaAgeMs }: CodeService): FailedCheck[] {
  const holdings = new Map(store.holdings.all().map((holding) => [holding.region, holding]))
  return regions.flatMap((region): FailedCheck[] => {
    const holding = holdings.get(region)
    if (!holding) return [{ check: 'data', detail: `residents of ${region} are not loaded` }]
    // The node's own data are the original: they have no age.
    if (region === regionCode || maxReplicaAgeMs === undefined) return []
    const ageMs = clock() - holding.refreshedAtMs
    if (ageMs <= maxReplicaAgeMs) return []
    return [{ check: 'data', detail: `the copy of ${region} is ${ageMs} ms old, allowed ${maxReplicaAgeMs}` }]
  })
}
