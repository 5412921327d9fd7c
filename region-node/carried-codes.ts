// Codes on paper and for families, for those who have no telephone of their own, and the report of their loss.
import { lastingId } from './find-resident.ts'
import { sealPrinted } from './printed-seal.ts'
import { findResident, recordOnce } from './record-once.ts'
import type { Recorded, Submission } from './record-once.ts'
import type { CodeService } from './service.ts'
import type { CarriedCode, CarriedKind } from './store/carried-codes.ts'

/** As long as a season: what is printed is only the name, the colour is looked up each time it is shown. */
const VALID_MS = 90 * 24 * 3_600_000

export interface CodeRequest {
  readonly kind: CarriedKind
  /** Who will carry it. */
  readonly residentId: string
  /** Whom it stands for besides; none on paper. */
  readonly memberIds: readonly string[]
}

export interface LossReport {
  readonly residentId: string
  /** Undefined: all that the resident carries. */
  readonly codeId: string | undefined
}

/** Issues a code to be printed. @see {@link recordOnce} */
export function issueCarriedCode(
  service: CodeService,
  { kind, residentId, memberIds }: CodeRequest,
  idempotencyKey: string,
): Promise<Recorded> {
  const submission: Submission = {
    operation: `${kind}-code`,
    residentId,
    idempotencyKey,
    content: memberIds.map(lastingId).toSorted(),
    homeOnly: true,
  }
  return recordOnce(service, submission, ({ residentToken }, { nowMs, recordId }) => {
    const named = memberIds.map((id) => findResident(service, id, true).residentToken)
    // Two ids may name one person, a synthetic one and a token's.
    const members = [...new Set(named)].filter((token) => token !== residentToken)
    const code: CarriedCode = {
      codeId: recordId,
      kind,
      holderToken: residentToken,
      issuedAtMs: nowMs,
      validUntilMs: nowMs + VALID_MS,
      lostAtMs: null,
    }
    service.store.carriedCodes.add(code, members)
    return {
      codeId: code.codeId,
      code: sealPrinted(carriedName(code), code.validUntilMs, service.printedCodeKey),
      residentTokens: [residentToken, ...members],
      issuedAt: new Date(code.issuedAtMs).toISOString(),
      validUntil: new Date(code.validUntilMs).toISOString(),
    }
  })
}

/** From then on whoever finds the paper finds a code that no checkpoint takes. @see {@link recordOnce} */
export function reportLoss(
  service: CodeService,
  { residentId, codeId }: LossReport,
  idempotencyKey: string,
): Promise<Recorded> {
  const content = codeId === undefined ? [] : [codeId]
  const submission = { operation: 'loss', residentId, idempotencyKey, content, homeOnly: true } as const
  return recordOnce(service, submission, ({ residentToken }, { nowMs, recordId }) => ({
    lossReportId: recordId,
    residentToken,
    codesLost: service.store.carriedCodes.lose(residentToken, codeId, nowMs),
    reportedAt: new Date(nowMs).toISOString(),
  }))
}

// `~` is in no token, so a printed code can't be taken for a shown one.
const carriedName = ({ kind, codeId }: CarriedCode): string => `${kind}~${codeId}`

/** @param name What a genuine code was found to name. @returns The id of a printed one, else undefined. */
export const carriedCodeId = (name: string): string | undefined =>
  /^(?:paper|family)~([\da-f-]{36})$/.exec(name)?.[1]
