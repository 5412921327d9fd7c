// Whether the node should be sent requests, for which homes not, and for which reasons.
import type { CodeService } from './service.ts'

export interface FailedCheck {
  readonly check: 'draining' | 'store' | 'data' | 'signing'
  readonly detail: string
}

/** The node is well, and can't stand in for that one home. */
export interface NotReadyFor extends FailedCheck {
  readonly region: string
}

/** Every check that fails; empty when the node is ready. */
export function failedChecks(service: CodeService): FailedCheck[] {
  const failed: FailedCheck[] = []
  if (service.gate.draining) failed.push({ check: 'draining', detail: 'the node is shutting down' })
  try {
    const fault = dataFault(service, service.regionCode)
    if (fault !== null) failed.push(fault)
  } catch {
    failed.push({ check: 'store', detail: 'the store does not answer' })
  }
  const own = signingFault(service, service.regionCode)
  return own === null ? failed : [...failed, own]
}

/** Homes that it holds and may not sign for. */
export const homesNotServed = (service: CodeService): NotReadyFor[] =>
  service.regions.flatMap((region) => {
    const fault =
      region === service.regionCode ? null : (dataFault(service, region) ?? signingFault(service, region))
    return fault === null ? [] : [{ region, ...fault }]
  })

/** What more keeps it from serving residents of `home`, besides the node's own faults. */
export function failedFor(service: CodeService, home: string): FailedCheck[] {
  if (!service.regions.includes(home)) return [{ check: 'data', detail: `this node does not hold ${home}` }]
  return homesNotServed(service).filter(({ region }) => region === home)
}

function signingFault({ authority, clock }: CodeService, region: string): FailedCheck | null {
  switch (authority.faultFor(region, clock())) {
    case null:
      return null
    case 'no-key':
      return { check: 'signing', detail: 'no key may sign now; give one with --keys' }
    case 'undelegated':
      return { check: 'signing', detail: `no agreement lets this region sign for residents of ${region} now` }
    case 'unlisted':
      return {
        check: 'signing',
        detail: 'the signing key is not in the trust list, so no code would be believed',
      }
  }
}

/** The node's own data are the original and have no age, unless it follows its region's writer. @throws When the store can't be read. */
function dataFault(
  { copies, clock, maxReplicaAgeMs, regionCode, store }: CodeService,
  region: string,
): FailedCheck | null {
  const followed = copies.find(region)
  if (followed !== undefined) {
    const { fault } = followed.standing()
    return fault === null ? null : { check: 'data', detail: fault }
  }
  const held = store.holdings.all().find((holding) => holding.region === region)
  if (held === undefined) return { check: 'data', detail: `residents of ${region} are not loaded` }
  if (region === regionCode || maxReplicaAgeMs === undefined) return null
  const ageMs = clock() - held.refreshedAtMs
  if (ageMs <= maxReplicaAgeMs) return null
  return { check: 'data', detail: `the copy of ${region} is ${ageMs} ms old, allowed ${maxReplicaAgeMs}` }
}

/** What `/readyz` and `/load` tell of the copies. */
export const copiesReport = ({ copies, clock }: CodeService) =>
  copies.all().map((copy) => {
    const { region, whole, currentAtMs, inContact, terms } = copy.facts
    return {
      region,
      lagMs: whole ? Math.round(copy.standing().lagMs) : 0,
      ageMs: whole ? Math.max(0, Math.round(clock() - currentAtMs)) : null,
      inContact,
      waitingWrites: copy.waitingWrites(),
      agreement: terms?.id ?? null,
    }
  })
