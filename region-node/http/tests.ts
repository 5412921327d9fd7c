// /v1/tests: hand in a test result, and read a resident's results.
import type { Response } from 'express'
import { z } from 'zod'
import { recordTest } from '../record-test.ts'
import type { Recorded, TestSubmission } from '../record-test.ts'
import { freshnessOf, residentIdSchema, testResultSchema } from '../resident.ts'
import type { TestRecord } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { readInput, readResidentToken } from './input.ts'
import { ProblemError, unknownResident } from './problem.ts'
import { sendJson, sendText } from './reply.ts'
import type { Route } from './routes.ts'
import { isoTime, pastTimeSchema } from './times.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

/** @param clock Unix milliseconds; a sample can't have been taken after that. */
const submissionSchema = (clock: () => number) =>
  z
    .strictObject({
      residentId: residentIdSchema,
      result: testResultSchema,
      sampledAt: pastTimeSchema(clock),
      laboratory: z.string().trim().min(1).max(100).optional(),
    })
    .transform(({ sampledAt, laboratory, ...rest }): TestSubmission => ({
      ...rest,
      sampledAtMs: sampledAt,
      laboratory: laboratory ?? null,
    }))

// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ quotes the key; many don't.
const keySchema = z
  .string()
  .regex(/^("[!#-~]{1,255}"|[!#-~]{1,255})$/, 'must be 1 to 255 visible ASCII characters')
  .transform((key) => key.replaceAll('"', ''))
  .optional()

const querySchema = z.object({
  limit: z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LIMIT))
    .default(DEFAULT_LIMIT),
})

/** `GET /v1/tests/{residentId}?limit=` (1 to 100, default 20), newest first. */
export const testsRoute = ({ store, regionCode }: CodeService): Route => ({
  path: '/v1/tests/:residentId',
  get: (req, res) => {
    const residentToken = readResidentToken(req.params['residentId'])
    const { limit } = readInput(querySchema, req.query, 'query')
    const resident = store.residents.byToken(residentToken)
    if (!resident) throw unknownResident()
    sendJson(res, 200, {
      residentToken,
      divisionCode: resident.homeRegion,
      freshness: freshnessOf(resident.homeRegion, regionCode),
      tests: store.tests.newest(residentToken, limit).map(testView),
    })
  },
})

/** `POST /v1/tests`, safe to repeat under one Idempotency-Key for a day. */
export function submitTestRoute(service: CodeService): Route {
  const schema = submissionSchema(service.clock)
  return {
    path: '/v1/tests',
    post: async (req, res) => {
      const key = readInput(keySchema, req.headers['idempotency-key'], 'header', 'Idempotency-Key')
      answer(res, await recordTest(service, readInput(schema, req.body, 'body'), key))
    },
  }
}

function answer(res: Response, recorded: Recorded): void {
  switch (recorded.outcome) {
    case 'unknown-resident':
      throw unknownResident()
    case 'key-reused':
      throw new ProblemError({
        status: 422,
        code: 'idempotency-key-reused',
        title: 'Idempotency-Key already used',
        detail: 'This key came before with another body. Use a new key for a new result.',
      })
    case 'recorded':
      return sendText(res, 201, recorded.body, 'application/json')
    case 'replayed':
      return sendText(res, 201, recorded.body, 'application/json', { 'idempotency-replayed': 'true' })
  }
}

const testView = (test: TestRecord) => ({
  testId: test.testId,
  result: test.result,
  sampledAt: isoTime(test.sampledAtMs),
  reportedAt: isoTime(test.reportedAtMs),
  laboratory: test.laboratory,
  originRegion: test.originRegion,
})
