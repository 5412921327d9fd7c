// GET /v1/codes/{residentId}: the code that a resident shows (制码).
import { issueDisplayCode } from '../display-code.ts'
import { freshnessOf } from '../resident.ts'
import type { Resident } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { readResidentId } from './input.ts'
import { unknownResident } from './problem.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'

export const codeRoute = (service: CodeService): Route => ({
  path: '/v1/codes/:residentId',
  get: (req, res) => {
    const resident = service.store.residents.byId(readResidentId(req.params['residentId']))
    if (!resident) throw unknownResident()
    sendJson(res, 200, codeView(resident, service))
  },
})

function codeView(resident: Resident, service: CodeService) {
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
    testTime: resident.testTimeMs === null ? null : isoTime(resident.testTimeMs),
    testResult: resident.testResult,
    freshness: freshnessOf(resident.homeRegion, service.regionCode),
  }
}

const isoTime = (ms: number): string => new Date(ms).toISOString()
