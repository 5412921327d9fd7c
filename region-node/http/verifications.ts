// POST /v1/verifications: a checkpoint asks whether a code, or a resident, is good now (验码).
import { z } from 'zod'
import { readDisplayCode } from '../display-code.ts'
import type { CodeFault } from '../display-code.ts'
import { syntheticToken } from '../synthetic.ts'
import { freshnessOf, residentIdSchema } from '../resident.ts'
import type { Resident } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { verificationAnswer } from './answers.ts'
import { placeIdSchema, readInput } from './input.ts'
import { unknownResident } from './problem.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'

const verificationSchema = z
  .strictObject({
    code: z.string().min(1).max(512).optional(),
    residentId: residentIdSchema.optional(),
    checkpointId: placeIdSchema.optional(),
  })
  .refine((asked) => (asked.code === undefined) !== (asked.residentId === undefined), {
    message: 'give either code or residentId, and not both',
    path: ['code'],
    // Judged also when another field is wrong, so that one answer tells every fault.
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  })

export const verificationRoute = (service: CodeService): Route => ({
  path: '/v1/verifications',
  docs: {
    post: {
      summary: 'Whether a code, or a resident, is good now (验码)',
      body: verificationSchema,
      answer: verificationAnswer,
      problems: [400, 404, 413, 415, 422, 503],
    },
  },
  post: (req, res) => {
    const asked = readInput(verificationSchema, req.body, 'body')
    const found = asked.code === undefined ? findById(asked.residentId, service) : open(asked.code, service)
    sendJson(res, 200, {
      ...verdictOf(found, service),
      issuer: service.regionCode,
      verifiedAt: new Date(service.clock()).toISOString(),
      checkpointId: asked.checkpointId,
    })
  },
})

type Found = { ok: true; resident: Resident } | { ok: false; reason: CodeFault }

function findById(residentId: string | undefined, { store }: CodeService): Found {
  const resident = residentId === undefined ? undefined : store.residents.byToken(syntheticToken(residentId))
  if (!resident) throw unknownResident()
  return { ok: true, resident }
}

function open(code: string, { store, clock, codeKey }: CodeService): Found {
  const reading = readDisplayCode(code, clock(), codeKey)
  if (!reading.ok) return reading
  const resident = store.residents.byToken(reading.residentToken)
  if (!resident) throw unknownResident()
  return { ok: true, resident }
}

/** `valid` says that the code is genuine and current; whether its bearer may pass is in `status`. */
function verdictOf(found: Found, { regionCode }: CodeService) {
  if (!found.ok) {
    return { valid: false, status: found.reason === 'expired' ? 'expired' : 'unknown', reason: found.reason }
  }
  const { status, residentToken, homeRegion } = found.resident
  const freshness = freshnessOf(homeRegion, regionCode)
  return { valid: true, status, residentToken, divisionCode: homeRegion, freshness }
}
