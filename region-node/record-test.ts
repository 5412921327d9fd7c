// Takes in a test result. Also a backup takes it, and marks it with its own region.
import { journalFor, recordOnce, updateResident } from './record-once.ts'
import type { Recorded } from './record-once.ts'
import { afterTest } from './resident.ts'
import type { Resident, TestRecord, TestResult } from './resident.ts'
import type { CodeService } from './service.ts'

/** A result as a laboratory hands it in. */
export interface TestSubmission {
  readonly residentId: string
  readonly result: TestResult
  /** Unix milliseconds. */
  readonly sampledAtMs: number
  readonly laboratory: string | null
}

/** @see {@link recordOnce} */
export function recordTest(
  service: CodeService,
  { residentId, ...result }: TestSubmission,
  idempotencyKey: string | undefined,
): Promise<Recorded> {
  const content = [result.result, result.sampledAtMs, result.laboratory]
  const submission = { operation: 'test', residentId, idempotencyKey, content, homeOnly: false } as const
  return recordOnce(service, submission, (resident, { nowMs, recordId }) => {
    const test = { ...result, testId: recordId, reportedAtMs: nowMs, originRegion: service.regionCode }
    const changed = afterTest(resident, test)
    journalFor(service, resident, (basis) => {
      const { testId: _testId, originRegion: _originRegion, ...taken } = test
      return { kind: 'test', recordId, residentToken: resident.residentToken, basis, ...taken }
    })
    // A donor may have taken it, and handed it over, before its client came here.
    if (!service.store.tests.has(resident.residentToken, recordId))
      service.store.tests.add(resident.residentToken, test)
    updateResident(service, changed)
    return receiptOf(changed, test)
  })
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
