// Judges what a bearer shows: a signed code by lists and store, a printed one by its name, a resident by id (验码).
import { carriedCodeId } from './carried-codes.ts'
import { residentById } from './find-resident.ts'
import { openPrinted } from './printed-seal.ts'
import { copyFaultFor, freshnessFor } from './freshness.ts'
import { atLeast } from './resident.ts'
import type { CodeStatus, Freshness, Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import type { CodeClaims } from './verify/claims.ts'
import type { ListAges, Outcome } from './verify/verdict.ts'
import { verifyCode } from './verify/verify-code.ts'

interface Person {
  readonly status: CodeStatus
  readonly residentToken: string
  readonly divisionCode: string
  /** `stale` also where the node holds no such resident, so the colour is that of the code's signing. */
  readonly freshness: Freshness
}

/** Of a printed code. */
export type PrintedFault = 'lost' | 'unknown-code'

/** `valid` says that the code is genuine and current; whether its bearer may pass is in `status`. */
export type Judgement =
  | (Person & { readonly valid: true; readonly members?: readonly Person[]; readonly lists?: ListAges })
  | {
      readonly valid: false
      readonly status: 'expired' | 'unknown'
      readonly reason: Exclude<Outcome, 'valid'> | PrintedFault
      readonly lists?: ListAges
    }

/** The copy of that home must not be answered from; a signed code is judged all the same, by its own colour. */
export interface NotFit {
  readonly notFit: string
}

export function judgeResident(
  service: CodeService,
  residentId: string,
): Judgement | NotFit | 'unknown-resident' {
  const resident = residentById(service, residentId)
  if (!resident) return 'unknown-resident'
  const { homeRegion } = resident
  if (copyFaultFor(service, homeRegion) !== null) return { notFit: homeRegion }
  return { valid: true, ...personOf(resident, service) }
}

export async function judgeCode(service: CodeService, code: string): Promise<Judgement | 'unknown-resident'> {
  // `~` is in no signed code.
  if (code.includes('~')) return judgePrinted(service, code)
  const verdict = await verifyCode(code, service.authority.lists, { nowMs: service.clock() })
  const { lists } = verdict
  if (verdict.outcome !== 'valid') return { ...refused(verdict.outcome), lists }
  return { valid: true, ...knownNow(verdict.claims, service), lists }
}

/** Of the code's colour and the store's the more restrictive: either may be the newer. */
function knownNow({ sub, hom, st }: CodeClaims, service: CodeService): Person {
  const resident = service.store.residents.byToken(sub)
  if (!resident) return { status: st, residentToken: sub, divisionCode: hom, freshness: 'stale' }
  const person = personOf(resident, service)
  return { ...person, status: atLeast(person.status, st) }
}

/** A genuine printed code is not enough: it may have been lost, or printed where its list is not known here. */
function judgePrinted(service: CodeService, code: string): Judgement | 'unknown-resident' {
  const { store, clock, printedCodeKey } = service
  const reading = openPrinted(code, clock(), printedCodeKey)
  if (!reading.ok) return refused(reading.reason === 'expired' ? 'expired' : 'tampered')
  const codeId = carriedCodeId(reading.name)
  const carried = codeId === undefined ? undefined : store.carriedCodes.find(codeId)
  if (!carried) return refused('unknown-code')
  if (carried.lostAtMs !== null) return refused('lost')
  const known = store.carriedCodes.members(carried).map((token) => store.residents.byToken(token))
  const members = known.flatMap((resident) => (resident ? [personOf(resident, service)] : []))
  // To leave one out could better the colour of all.
  if (members.length < known.length) return 'unknown-resident'
  const [holder] = members
  if (!holder) return 'unknown-resident'
  if (carried.kind !== 'family') return { valid: true, ...holder }
  // A family passes together or not at all, unless the checkpoint looks at each.
  const status = members.reduce<CodeStatus>((worst, member) => atLeast(worst, member.status), 'green')
  return { valid: true, ...holder, status, members }
}

const refused = (reason: Exclude<Outcome, 'valid'> | PrintedFault) =>
  ({ valid: false, status: reason === 'expired' ? 'expired' : 'unknown', reason }) as const

const personOf = ({ status, residentToken, homeRegion }: Resident, service: CodeService): Person => ({
  status,
  residentToken,
  divisionCode: homeRegion,
  freshness: freshnessFor(service, homeRegion),
})
