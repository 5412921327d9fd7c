// The Idempotency-Key header, and the answers of all routes that take something in once.
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Recorded } from '../record-once.ts'
import { readInput } from './input.ts'
import { cannotSign, copyNotFit, notTheWriter, ProblemError, unknownResident } from './problem.ts'
import { sendText } from './reply.ts'
import type { Route } from './routes.ts'

const WANTED = 'must be 1 to 255 visible ASCII characters'

// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ quotes the key; many don't.
const keySchema = z
  .string({ error: WANTED })
  .regex(/^("[!#-~]{1,255}"|[!#-~]{1,255})$/, WANTED)
  .transform((key) => key.replaceAll('"', ''))

/** @throws {ProblemError} 400: there is none, or it is malformed. */
const readKey = (req: Request): string =>
  readInput(keySchema, req.headers['idempotency-key'], 'header', 'Idempotency-Key')

/** @throws {ProblemError} 400: it is malformed. */
export const readOptionalKey = (req: Request): string | undefined =>
  readInput(keySchema.optional(), req.headers['idempotency-key'], 'header', 'Idempotency-Key')

export interface OnceRoute<T> {
  readonly path: string
  readonly summary: string
  readonly body: z.ZodType<T>
  readonly answer: z.ZodType
  /** Whether a node that stands in for home refuses it. */
  readonly homeOnly: boolean
  readonly take: (given: T, idempotencyKey: string) => Promise<Recorded>
}

/** A POST that needs a key, and is done once for each. */
export const onceRoute = <T>({ path, summary, body, answer, homeOnly, take }: OnceRoute<T>): Route => ({
  path,
  docs: {
    post: {
      summary,
      body,
      answer,
      status: 201,
      problems: [400, 404, ...(homeOnly ? [409 as const] : []), 413, 415, 421, 422, 503],
      idempotencyKey: 'required',
    },
  },
  post: async (req, res) => {
    const key = readKey(req)
    sendRecorded(res, await take(readInput(body, req.body, 'body'), key))
  },
})

export const homeOnlyProblem = (homeRegion: string): ProblemError =>
  new ProblemError({
    status: 409,
    code: 'home-only',
    title: "Only the resident's home region takes this",
    detail: "This node stands in for the home region. Send it again when the home region's own is back.",
    extra: { divisionCode: homeRegion },
  })

/** 201 with the first answer, also to a repeat. @throws {ProblemError} It was not recorded. */
export function sendRecorded(res: Response, recorded: Recorded): void {
  switch (recorded.outcome) {
    case 'unknown-resident':
      throw unknownResident()
    case 'key-reused':
      throw new ProblemError({
        status: 422,
        code: 'idempotency-key-reused',
        title: 'Idempotency-Key already used',
        detail: 'This key came before with another request. Use a new key for a new request.',
      })
    case 'home-only':
      throw homeOnlyProblem(recorded.homeRegion)
    case 'copy-not-fit':
      throw copyNotFit(recorded.homeRegion)
    case 'not-the-writer':
      throw notTheWriter(recorded.homeRegion)
    case 'cannot-sign':
      throw cannotSign(recorded.reason, recorded.homeRegion)
    case 'recorded':
      return sendText(res, 201, recorded.body, 'application/json')
    case 'replayed':
      return sendText(res, 201, recorded.body, 'application/json', { 'idempotency-replayed': 'true' })
  }
}
