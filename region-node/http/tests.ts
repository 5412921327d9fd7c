// /v1/tests: hand in a test result, and read a resident's results.
import { z } from 'zod'
import { recordTest } from '../record-test.ts'
import type { TestSubmission } from '../record-test.ts'
import { residentIdSchema, testResultSchema } from '../resident.ts'
import type { TestRecord } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { testReceipt, testsAnswer } from './answers.ts'
import { readOptionalKey, sendRecorded } from './idempotency.ts'
import { readInput } from './input.ts'
import { listingRoute } from './listing.ts'
import type { Route } from './routes.ts'
import { isoTime, pastTimeSchema } from './times.ts'

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

/** `GET /v1/tests/{residentId}` */
export const testsRoute = (service: CodeService): Route =>
  listingRoute(service, {
    name: 'tests',
    summary: 'The results of a resident, newest first',
    answer: testsAnswer,
    newest: (residentToken, limit) => service.store.tests.newest(residentToken, limit).map(testView),
  })

/** `POST /v1/tests`, safe to repeat under one Idempotency-Key for a day. */
export function submitTestRoute(service: CodeService): Route {
  const schema = submissionSchema(service.clock)
  return {
    path: '/v1/tests',
    docs: {
      post: {
        summary: 'Hand in a test result',
        body: schema,
        answer: testReceipt,
        status: 201,
        problems: [400, 404, 413, 415, 421, 422, 503],
        idempotencyKey: 'optional',
      },
    },
    post: async (req, res) => {
      const key = readOptionalKey(req)
      sendRecorded(res, await recordTest(service, readInput(schema, req.body, 'body'), key))
    },
  }
}

const testView = (test: TestRecord): z.infer<typeof testsAnswer>['tests'][number] => ({
  testId: test.testId,
  result: test.result,
  sampledAt: isoTime(test.sampledAtMs),
  reportedAt: isoTime(test.reportedAtMs),
  laboratory: test.laboratory,
  originRegion: test.originRegion,
})
