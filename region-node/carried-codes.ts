// Codes on paper and for families, for those who have no telephone of their own, and the report of their loss.
import { randomUUID } from 'node:crypto'
import type { SigningFault } from './authority/authority.ts'
import { lastingId, residentById } from './find-resident.ts'
import { paperName } from './paper-name.ts'
import { findResident, recordOnce, refuse } from './record-once.ts'
import type { Recorded, Submission } from './record-once.ts'
import type { CodeService } from './service.ts'
import type { SignedCode } from './signing/code-signer.ts'
import type { CarriedCode, CarriedKind } from './store/carried-codes.ts'

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

/**
 * Issues a code to be printed. It is signed before the write, which must not wait for a signature: one for somebody
 * whom the write then refuses leaves this function no more than one that was not made.
 *
 * @see {@link recordOnce}
 */
export async function issueCarriedCode(
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
  const codeId = randomUUID()
  const sub = tokensOf(service, [residentId, ...memberIds])
  const signing = sub && (await signPaper(service, sub, codeId))
  return recordOnce(service, submission, ({ residentToken, homeRegion }) => {
    const named = memberIds.map((id) => findResident(service, id, true).residentToken)
    // Two ids may name one person, a synthetic one and a token's.
    const members = [...new Set(named)].filter((token) => token !== residentToken)
    // Somebody came while it was signed: what is signed must be what is kept, and asking again will do.
    if (!signing || sub?.join() !== [residentToken, ...members].join()) {
      return refuse({ outcome: 'unknown-resident' })
    }
    if (!signing.ok) return refuse({ outcome: 'cannot-sign', reason: signing.reason, homeRegion })
    const { text, iat, exp } = signing.code
    const code: CarriedCode = {
      codeId,
      kind,
      holderToken: residentToken,
      issuedAtMs: iat * 1000,
      validUntilMs: exp * 1000,
      lostAtMs: null,
    }
    service.store.carriedCodes.add(code, members)
    return {
      codeId,
      code: text,
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

/** Each once; `null` where one is unknown, whom the write will refuse. */
function tokensOf(service: CodeService, residentIds: readonly string[]): string[] | null {
  const known = residentIds.map((id) => residentById(service, id)?.residentToken)
  const tokens = known.filter((token) => token !== undefined)
  return tokens.length === known.length ? [...new Set(tokens)] : null
}

type PaperSigning = { ok: true; code: SignedCode } | { ok: false; reason: SigningFault }

/** `unlisted` too: what is printed is not fetched anew when the trust list knows the key at last. */
async function signPaper(service: CodeService, sub: string[], codeId: string): Promise<PaperSigning> {
  const { authority, clock, regionCode: hom } = service
  const nowMs = clock()
  const fault = authority.faultFor(hom, nowMs)
  if (fault !== null || authority.signer === null) return { ok: false, reason: fault ?? 'no-key' }
  return authority.signer.paper({ hom, sub, rid: paperName(codeId) }, nowMs)
}
