// Registers a resident for a round of screening, at a sampling point. Backups take registrations too.
import { journalFor, recordOnce } from './record-once.ts'
import type { Recorded } from './record-once.ts'
import type { Registration } from './resident.ts'
import type { CodeService } from './service.ts'

/** A registration as a sampling point hands it in. */
export interface RegistrationSubmission {
  readonly residentId: string
  readonly siteId: string
  /** The tube that the sample goes into, with others' when samples are pooled; null when not yet known. */
  readonly tubeId: string | null
  /** Unix milliseconds. */
  readonly registeredAtMs: number
}

/**
 * @param idempotencyKey Required: in a burst the same registration comes again and again.
 * @see {@link recordOnce}
 */
export function register(
  service: CodeService,
  { residentId, ...given }: RegistrationSubmission,
  idempotencyKey: string,
): Promise<Recorded> {
  const content = [given.siteId, given.tubeId, given.registeredAtMs]
  const submission = {
    operation: 'registration',
    residentId,
    idempotencyKey,
    content,
    homeOnly: false,
  } as const
  return recordOnce(service, submission, (resident, { nowMs, recordId }) => {
    const { residentToken } = resident
    const originRegion = service.regionCode
    const registration = { ...given, registrationId: recordId, receivedAtMs: nowMs, originRegion }
    journalFor(service, resident, (basis) => ({
      kind: 'registration',
      recordId,
      residentToken,
      basis,
      ...given,
      receivedAtMs: nowMs,
    }))
    service.store.registrations.add(residentToken, registration)
    return { residentToken, ...registrationView(registration) }
  })
}

export const registrationView = (registration: Registration) => ({
  registrationId: registration.registrationId,
  siteId: registration.siteId,
  tubeId: registration.tubeId,
  registeredAt: new Date(registration.registeredAtMs).toISOString(),
  receivedAt: new Date(registration.receivedAtMs).toISOString(),
  originRegion: registration.originRegion,
})
