// Looks up residents by the tokens of their ID cards, as terminals at gates and sampling points do.
import { copyFaultFor, freshnessFor } from './freshness.ts'
import type { Freshness, Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import { SUBJECT_TOKEN } from './tokens/subject-token.ts'

/** `invalid`: no token at all. It is not repeated: it might be the number itself, sent by mistake. */
export type CardLookup =
  | { outcome: 'found'; resident: Resident; freshness: Freshness }
  | { outcome: 'unknown'; subjectToken: string }
  /** Held, but not to be answered from: another node is to be asked. */
  | { outcome: 'copy-not-fit'; subjectToken: string; divisionCode: string }
  | { outcome: 'invalid' }

/** One answer for each token, in their order; a bad one spoils none of the others. */
export const lookUpCards = (
  service: Pick<CodeService, 'store' | 'regionCode' | 'copies'>,
  tokens: readonly string[],
): CardLookup[] =>
  tokens.map((subjectToken) => {
    if (!SUBJECT_TOKEN.test(subjectToken)) return { outcome: 'invalid' }
    const resident = service.store.residents.byToken(subjectToken)
    if (!resident) return { outcome: 'unknown', subjectToken }
    const { homeRegion } = resident
    if (copyFaultFor(service, homeRegion) !== null)
      return { outcome: 'copy-not-fit', subjectToken, divisionCode: homeRegion }
    return { outcome: 'found', resident, freshness: freshnessFor(service, resident.homeRegion) }
  })
