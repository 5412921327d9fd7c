// Takes in a test result: once for each Idempotency-Key, and never lost once acknowledged.
import { createHash, randomUUID } from 'node:crypto'
import { statusAfter } from './resident.ts'
import type { Resident, TestRecord, TestResult } from './resident.ts'
import type { CodeService } from './service.ts'
import { syntheticToken } from './synthetic.ts'

/** A result as a laboratory hands it in. */
export interface TestSubmission {
  readonly residentId: string
  readonly result: TestResult
  /** Unix milliseconds. */
  readonly sampledAtMs: number
  readonly laboratory: string | null
}

/** `body` is the JSON text to answer with; a replay's is, to the byte, the first answer's. */
export type Recorded =
  | { outcome: 'recorded' | 'replayed'; body: string }
  | { outcome: 'unknown-resident' | 'key-reused' }

/** Resolves when the result is on disk. Also a backup takes it, and marks it with its own region. */
export function recordTest(
  service: CodeService,
  submission: TestSubmission,
  idempotencyKey: string | undefined,
): Promise<Recorded> {
  const { answers, residents, tests } = service.store
  return service.store.write((): Recorded => {
    const nowMs = service.clock()
    const requestDigest = digestOf(submission)
    const earlier = idempotencyKey === undefined ? undefined : answers.find(idempotencyKey, nowMs)
    if (earlier) {
      if (earlier.requestDigest !== requestDigest) return { outcome: 'key-reused' }
      return { outcome: 'replayed', body: earlier.body }
    }
    const resident = residents.byToken(syntheticToken(submission.residentId))
    if (!resident) return { outcome: 'unknown-resident' }
    const { residentId: _, ...result } = submission
    const test = { ...result, testId: randomUUID(), reportedAtMs: nowMs, originRegion: service.regionCode }
    const changed = residentAfter(resident, test)
    tests.add(resident.residentToken, test)
    if (resident.homeRegion === service.regionCode) residents.update(changed)
    else residents.updateCopy(changed)
    const body = JSON.stringify(receiptOf(changed, test))
    if (idempotencyKey !== undefined) answers.add(idempotencyKey, { requestDigest, body }, nowMs)
    return { outcome: 'recorded', body }
  })
}

/** A sample taken before the newest known one still worsens the colour, but isn't the newest test. */
export function residentAfter(resident: Resident, test: TestRecord): Resident {
  const status = statusAfter(resident.status, test.result)
  const changed = { ...resident, status, updatedAtMs: Math.max(resident.updatedAtMs, test.reportedAtMs) }
  if (resident.testTimeMs !== null && test.sampledAtMs < resident.testTimeMs) return changed
  return { ...changed, testTimeMs: test.sampledAtMs, testResult: test.result }
}

function receiptOf(resident: Resident, test: TestRecord) {
  return {
    testId: test.testId,
    residentToken: resident.residentToken,
    result: test.result,
    sampledAt: new Date(test.sampledAtMs).toISOString(),
    reportedAt: new Date(test.reportedAtMs).toISOString(),
    laboratory: test.laboratory,
    originRegion: test.originRegion,
    status: resident.status,
  }
}

// Of the meaning, not the text: a repeat with other spacing or order of fields is the same request.
const digestOf = ({ residentId, result, sampledAtMs, laboratory }: TestSubmission): string =>
  createHash('sha256')
    .update(JSON.stringify([residentId, result, sampledAtMs, laboratory]))
    .digest('base64url')
