// GET of what is known of a resident, newest first: `?limit=` (1 to 100, default 20).
import { z } from 'zod'
import { residentById } from '../find-resident.ts'
import { freshnessFor, isWriterOf } from '../freshness.ts'
import type { CodeService } from '../service.ts'
import { homeOnlyProblem } from './idempotency.ts'
import { readInput, readResidentId } from './input.ts'
import { notTheWriter } from './problem.ts'
import type { ProblemError } from './problem.ts'
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
  readonly name: 'tests' | 'registrations' | 'declarations' | 'corrections'
  readonly summary: string
  readonly answer: z.ZodType
  /** Only home keeps such, so a node that stands in answers 409 and no list, which would look whole. */
  readonly homeOnly?: true
  readonly newest: (residentToken: string, limit: number) => readonly object[]
}

/** `GET /v1/<name>/{residentId}` */
export const listingRoute = (
  service: CodeService,
  { name, summary, answer, homeOnly, newest }: Listing,
): Route => ({
  path: `/v1/${name}/:residentId`,
  docs: {
    get: {
      summary,
      query: listingQuery,
      answer,
      problems: [400, 404, ...(homeOnly ? [409 as const] : []), 421, 503],
    },
  },
  get: (req, res) => {
    const residentId = readResidentId(req.params['residentId'])
    const { limit } = readInput(listingQuery, req.query, 'query')
    const resident = residentById(service, residentId)
    if (!resident) throw unknownHere(service)
    const { residentToken } = resident
    if (homeOnly && !isWriterOf(service, resident.homeRegion)) throw notHere(service, resident.homeRegion)
    sendJson(res, 200, {
      residentToken,
      divisionCode: resident.homeRegion,
      freshness: freshnessFor(service, resident.homeRegion),
      [name]: newest(residentToken, limit),
    })
  },
})

const notHere = ({ regionCode }: CodeService, home: string): ProblemError =>
  home === regionCode ? notTheWriter(home) : homeOnlyProblem(home)
