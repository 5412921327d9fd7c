// Takes in what residents declare of their health (健康申报), and what they say is wrong (更正). Home only.
import { recordOnce, updateResident } from './record-once.ts'
import type { Recorded } from './record-once.ts'
import { atLeast } from './resident.ts'
import type { CodeStatus } from './resident.ts'
import type { CodeService } from './service.ts'

export const SYMPTOMS = [
  'fever',
  'cough',
  'fatigue',
  'sore-throat',
  'loss-of-smell',
  'breathlessness',
  'diarrhoea',
] as const
export const CORRECTION_SUBJECTS = ['status', 'test-result', 'personal-data'] as const

/** A declaration as a resident hands it in. */
export interface DeclarationSubmission {
  readonly residentId: string
  readonly symptoms: readonly (typeof SYMPTOMS)[number][]
  /** Under the arm; null when not measured. */
  readonly temperatureCelsius: number | null
  /** Whether with a confirmed case, in the last 14 days. */
  readonly contact: boolean
  /** Divisions visited in the last 14 days. */
  readonly visitedDivisions: readonly string[]
}

export interface CorrectionSubmission {
  readonly residentId: string
  readonly subject: (typeof CORRECTION_SUBJECTS)[number]
  /** The test meant; null when none is. */
  readonly testId: string | null
  /** What is wrong, in the resident's words. */
  readonly statement: string
}

/** From here on the record of the time called it fever. */
const FEVER_CELSIUS = 37.3

/** A declaration may worsen a colour and never betters one: it is only the resident's word. */
export function statusAfterDeclaration(
  current: CodeStatus,
  { symptoms, temperatureCelsius, contact }: Omit<DeclarationSubmission, 'residentId'>,
): CodeStatus {
  const suspect = symptoms.length > 0 || contact || (temperatureCelsius ?? 0) >= FEVER_CELSIUS
  return suspect ? atLeast(current, 'yellow') : current
}

/** @see {@link recordOnce} */
export function declare(
  service: CodeService,
  { residentId, ...details }: DeclarationSubmission,
  idempotencyKey: string,
): Promise<Recorded> {
  const content = Object.values(details)
  const submission = {
    operation: 'declaration',
    residentId,
    idempotencyKey,
    content,
    homeOnly: true,
  } as const
  return recordOnce(service, submission, (resident, { nowMs, recordId: declarationId }) => {
    const { residentToken } = resident
    const status = statusAfterDeclaration(resident.status, details)
    service.store.statements.add({
      statementId: declarationId,
      residentToken,
      kind: 'declaration',
      receivedAtMs: nowMs,
      details: JSON.stringify(details),
    })
    if (status !== resident.status) updateResident(service, { ...resident, status, updatedAtMs: nowMs })
    return { declarationId, residentToken, status, receivedAt: new Date(nowMs).toISOString() }
  })
}

/**
 * Puts the request before the home authority; changes nothing by itself, or anybody could better a colour.
 *
 * @see {@link recordOnce}
 */
export function requestCorrection(
  service: CodeService,
  { residentId, ...details }: CorrectionSubmission,
  idempotencyKey: string,
): Promise<Recorded> {
  const content = Object.values(details)
  const submission = { operation: 'correction', residentId, idempotencyKey, content, homeOnly: true } as const
  return recordOnce(service, submission, ({ residentToken }, { nowMs, recordId: correctionId }) => {
    service.store.statements.add({
      statementId: correctionId,
      residentToken,
      kind: 'correction',
      receivedAtMs: nowMs,
      details: JSON.stringify(details),
    })
    return { correctionId, residentToken, state: 'received', receivedAt: new Date(nowMs).toISOString() }
  })
}
