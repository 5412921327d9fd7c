// GET /v1/codes/{residentId}: the code that a resident shows (制码).
import type { z } from 'zod'
import { issueDisplayCode } from '../display-code.ts'
import { freshnessOf } from '../resident.ts'
import type { Resident } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { codeAnswer } from './answers.ts'
import { readResidentToken } from './input.ts'
import { unknownResident } from './problem.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'
import { isoTime, isoTimeOrNull } from './times.ts'

/**
 * Always asked for anew; but the resident's own last code may be shown, marked as old, when nobody can be asked
 * (RFC 5861 section 4). Anything else about a resident stays in no cache.
 */
const codeCaching = { 'cache-control': 'private, no-cache, stale-if-error=300' }

export const codeRoute = (service: CodeService): Route => ({
  path: '/v1/codes/:residentId',
  docs: {
    get: { summary: 'The code that a resident shows (制码)', answer: codeAnswer, problems: [400, 404, 503] },
  },
  get: (req, res) => {
    const resident = service.store.residents.byToken(readResidentToken(req.params['residentId']))
    if (!resident) throw unknownResident()
    sendJson(res, 200, codeView(resident, service), codeCaching)
  },
})

function codeView(resident: Resident, service: CodeService): z.infer<typeof codeAnswer> {
  const issuedAtMs = service.clock()
  const validUntilMs = issuedAtMs + service.codeValidityMs
  return {
    residentToken: resident.residentToken,
    code: issueDisplayCode(resident.residentToken, validUntilMs, service.codeKey),
    status: resident.status,
    divisionCode: resident.homeRegion,
    issuer: service.regionCode,
    issuedAt: isoTime(issuedAtMs),
    validUntil: isoTime(validUntilMs),
    updatedAt: isoTime(resident.updatedAtMs),
    testTime: isoTimeOrNull(resident.testTimeMs),
    testResult: resident.testResult,
    freshness: freshnessOf(resident.homeRegion, service.regionCode),
  }
}
