// Judges what a bearer shows: a code by lists and store, a resident by id (验码).
import { residentById } from './find-resident.ts'
import { copyFaultFor, freshnessFor, isWriterOf } from './freshness.ts'
import { codeIdOf } from './paper-name.ts'
import { atLeast } from './resident.ts'
import type { CodeStatus, Freshness, Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import type { CodeClaims } from './verify/claims.ts'
import type { PaperClaims } from './verify/paper-claims.ts'
import type { ListAges, Outcome } from './verify/verdict.ts'
import { verifyCode } from './verify/verify-code.ts'

interface Person {
  readonly status: CodeStatus
  readonly residentToken: string
  readonly divisionCode: string
  /** `stale` also where the node holds no such resident, so the colour is that of the code's signing. */
  readonly freshness: Freshness
}

/** Of a printed code, at the home that issued it. */
export type PrintedFault = 'lost' | 'unknown-code'

type Refused = Exclude<Outcome, 'valid' | 'genuine-paper'> | PrintedFault

/** `valid` says that the code is genuine and current; whether its bearer may pass is in `status`. */
export type Judgement =
  | (Person & { readonly valid: true; readonly members?: readonly Person[]; readonly lists?: ListAges })
  | {
      readonly valid: false
      readonly status: 'expired' | 'unknown'
      readonly reason: Refused
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

export async function judgeCode(
  service: CodeService,
  code: string,
): Promise<Judgement | NotFit | 'unknown-resident'> {
  const { authority, clock, regionCode } = service
  // Where losses are reported no list of them is needed.
  const writer = isWriterOf(service, regionCode) ? { lossesKnownOf: regionCode } : {}
  const verdict = await verifyCode(code, authority.lists, { nowMs: clock(), ...writer })
  const { lists } = verdict
  if (verdict.outcome === 'genuine-paper') {
    const judged = judgePaper(verdict.claims, service)
    return judged === 'unknown-resident' || 'notFit' in judged ? judged : { ...judged, lists }
  }
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

/** A genuine paper is not enough at the home that issued it: it may have been reported lost a moment ago. */
function judgePaper(
  { iss, hom, sub, rid }: PaperClaims,
  service: CodeService,
): Judgement | NotFit | 'unknown-resident' {
  const { store, regionCode } = service
  if (iss === regionCode && isWriterOf(service, iss)) {
    const carried = store.carriedCodes.find(codeIdOf(rid))
    // Signed with home's key and not in its books: by a thief, or before a backup was restored that knows no losses.
    if (!carried) return refused('unknown-code')
    if (carried.lostAtMs !== null) return refused('lost')
  }
  // The colour is the store's alone, so a copy that may not stand in may not tell it.
  if (copyFaultFor(service, hom) !== null) return { notFit: hom }
  const known = sub.map((token) => store.residents.byToken(token))
  // A region may print for its own alone: with another's resident on it, no agreement covers the paper.
  if (known.some((resident) => resident && resident.homeRegion !== hom)) return refused('undelegated')
  const members = known.flatMap((resident) => (resident ? [personOf(resident, service)] : []))
  const [holder] = members
  // To leave one out could better the colour of all.
  if (!holder || members.length < known.length) return 'unknown-resident'
  if (members.length === 1) return { valid: true, ...holder }
  // A family passes together or not at all, unless the checkpoint looks at each.
  const status = members.reduce<CodeStatus>((worst, member) => atLeast(worst, member.status), 'green')
  return { valid: true, ...holder, status, members }
}

const refused = (reason: Refused) =>
  ({ valid: false, status: reason === 'expired' ? 'expired' : 'unknown', reason }) as const

const personOf = ({ status, residentToken, homeRegion }: Resident, service: CodeService): Person => ({
  status,
  residentToken,
  divisionCode: homeRegion,
  freshness: freshnessFor(service, homeRegion),
})
