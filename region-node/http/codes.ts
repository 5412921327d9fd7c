// GET /v1/codes/{residentId} and /v1/credentials/{residentId}: the code that is shown, and the one that is carried (制码).
import type { z } from 'zod'
import { residentById } from '../find-resident.ts'
import { issueCode } from '../issue-code.ts'
import { copyFaultFor, freshnessFor } from '../freshness.ts'
import type { Resident } from '../resident.ts'
import type { CodeService } from '../service.ts'
import type { SignedCode } from '../signing/code-signer.ts'
import type { CodeKind } from '../verify/claims.ts'
import { codeAnswer } from './answers.ts'
import { readResidentId } from './input.ts'
import { cannotSign, copyNotFit } from './problem.ts'
import { unknownHere } from './unknown-here.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'
import { isoTime, isoTimeOrNull } from './times.ts'

/**
 * Always asked for anew; but the resident's own last code may be shown, marked as old, when nobody can be asked
 * (RFC 5861 section 4). Anything else about a resident stays in no cache.
 */
const codeCaching = { 'cache-control': 'private, no-cache, stale-if-error=3600' }

export const codeRoute = (service: CodeService): Route =>
  signedRoute(service, '/v1/codes', 'display', 'The signed code that a resident shows (制码)')

export const credentialRoute = (service: CodeService): Route =>
  signedRoute(service, '/v1/credentials', 'carried', 'The signed code that a phone keeps for up to a day')

const signedRoute = (service: CodeService, folder: string, kind: CodeKind, summary: string): Route => ({
  path: `${folder}/:residentId`,
  docs: { get: { summary, answer: codeAnswer, problems: [400, 404, 421, 503] } },
  get: async (req, res) => {
    const resident = residentById(service, readResidentId(req.params['residentId']))
    if (!resident) throw unknownHere(service)
    const { homeRegion } = resident
    if (copyFaultFor(service, homeRegion) !== null) throw copyNotFit(homeRegion)
    const signing = await issueCode(service, resident, kind)
    if (!signing.ok) throw cannotSign(signing.reason, homeRegion)
    sendJson(res, 200, codeView(resident, signing.code, service), codeCaching)
  },
})

const codeView = (
  resident: Resident,
  { text, iat, exp }: SignedCode,
  service: CodeService,
): z.infer<typeof codeAnswer> => ({
  residentToken: resident.residentToken,
  code: text,
  status: resident.status,
  divisionCode: resident.homeRegion,
  issuer: service.regionCode,
  issuedAt: isoTime(iat * 1000),
  validUntil: isoTime(exp * 1000),
  updatedAt: isoTime(resident.updatedAtMs),
  testTime: isoTimeOrNull(resident.testTimeMs),
  testResult: resident.testResult,
  freshness: freshnessFor(service, resident.homeRegion),
})
