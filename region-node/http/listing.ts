// GET of what is known of a resident, newest first: `?limit=` (1 to 100, default 20).
import { z } from 'zod'
import { freshnessFor } from '../freshness.ts'
import type { CodeService } from '../service.ts'
import { readInput, readResidentToken } from './input.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'
import { unknownHere } from './unknown-here.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

const listingQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LIMIT))
    .default(DEFAULT_LIMIT),
})

export interface Listing {
  /** The member of the answer that holds the list, and the folder of the path. */
  readonly name: 'tests' | 'registrations'
  readonly summary: string
  readonly answer: z.ZodType
  readonly newest: (residentToken: string, limit: number) => readonly object[]
}

/** `GET /v1/<name>/{residentId}` */
export const listingRoute = (service: CodeService, { name, summary, answer, newest }: Listing): Route => ({
  path: `/v1/${name}/:residentId`,
  docs: { get: { summary, query: listingQuery, answer, problems: [400, 404, 421, 503] } },
  get: (req, res) => {
    const residentToken = readResidentToken(req.params['residentId'])
    const { limit } = readInput(listingQuery, req.query, 'query')
    const resident = service.store.residents.byToken(residentToken)
    if (!resident) throw unknownHere(service)
    sendJson(res, 200, {
      residentToken,
      divisionCode: resident.homeRegion,
      freshness: freshnessFor(service, resident.homeRegion),
      [name]: newest(residentToken, limit),
    })
  },
})
