// POST /v1/id-cards/lookups: a terminal asks about the holders of ID cards, up to a hundred at a time.
import { z } from 'zod'
import { lookUpCards } from '../look-up-cards.ts'
import type { CardLookup } from '../look-up-cards.ts'
import type { CodeService } from '../service.ts'
import { createTurnstile } from '../turnstile.ts'
import { cardLookupsAnswer } from './answers.ts'
import { readInput } from './input.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'
import { requireTerminal } from './terminal-auth.ts'
import { isoTime, isoTimeOrNull } from './times.ts'

const MOST_CARDS = 100

const lookupsSchema = z.strictObject({
  /** What {@link subjectToken} makes of a card, in the terminal: the number itself never travels. */
  subjectTokens: z.array(z.string().max(64)).min(1).max(MOST_CARDS),
})

export function cardLookupsRoute(service: CodeService): Route {
  const turn = createTurnstile()
  return {
    path: '/v1/id-cards/lookups',
    docs: {
      post: {
        summary: 'Look up the holders of ID cards, by their tokens',
        body: lookupsSchema,
        answer: cardLookupsAnswer,
        problems: [400, 401, 413, 415, 422, 503],
        terminalsOnly: true,
      },
    },
    authorize: (req) => requireTerminal(service.terminals, req),
    post: async (req, res) => {
      await turn()
      const { subjectTokens } = readInput(lookupsSchema, req.body, 'body')
      sendJson(res, 200, {
        results: lookUpCards(service, subjectTokens).map(lookupView),
        issuer: service.regionCode,
        lookedUpAt: isoTime(service.clock()),
      })
    },
  }
}

/** @param index Place of the token in the request, from 0. */
function lookupView(lookup: CardLookup, index: number): z.infer<typeof cardLookupsAnswer>['results'][number] {
  if (lookup.outcome !== 'found') return { index, ...lookup }
  const { resident, freshness } = lookup
  return {
    index,
    outcome: lookup.outcome,
    subjectToken: resident.residentToken,
    status: resident.status,
    divisionCode: resident.homeRegion,
    updatedAt: isoTime(resident.updatedAtMs),
    testTime: isoTimeOrNull(resident.testTimeMs),
    testResult: resident.testResult,
    freshness,
  }
}
