// POST /v1/verifications: a checkpoint asks whether a code, or a resident, is good now (验码).
import { z } from 'zod'
import { carriedCodeId } from '../carried-codes.ts'
import { readDisplayCode } from '../display-code.ts'
import type { CodeFault } from '../display-code.ts'
import { atLeast, freshnessOf, residentIdSchema } from '../resident.ts'
import type { CodeStatus, Resident } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { syntheticToken } from '../synthetic.ts'
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

type Fault = CodeFault | 'lost' | 'unknown-code'
type Found = { ok: true; residents: readonly Resident[]; family: boolean } | { ok: false; reason: Fault }

function findById(residentId: string | undefined, { store }: CodeService): Found {
  const resident = residentId === undefined ? undefined : store.residents.byToken(syntheticToken(residentId))
  if (!resident) throw unknownResident()
  return { ok: true, residents: [resident], family: false }
}

function open(code: string, service: CodeService): Found {
  const { store, clock, codeKey } = service
  const reading = readDisplayCode(code, clock(), codeKey)
  if (!reading.ok) return reading
  const codeId = carriedCodeId(reading.residentToken)
  if (codeId !== undefined) return openCarried(codeId, service)
  const resident = store.residents.byToken(reading.residentToken)
  if (!resident) throw unknownResident()
  return { ok: true, residents: [resident], family: false }
}

/** A genuine printed code is not enough: it may have been lost, or printed where its list is not known here. */
function openCarried(codeId: string, { store }: CodeService): Found {
  const carried = store.carriedCodes.find(codeId)
  if (!carried) return { ok: false, reason: 'unknown-code' }
  if (carried.lostAtMs !== null) return { ok: false, reason: 'lost' }
  const residents = store.carriedCodes.members(carried).map((token) => {
    const resident = store.residents.byToken(token)
    // To leave one out could better the colour of all.
    if (!resident) throw unknownResident()
    return resident
  })
  return { ok: true, residents, family: carried.kind === 'family' }
}

/** `valid` says that the code is genuine and current; whether its bearer may pass is in `status`. */
function verdictOf(found: Found, { regionCode }: CodeService) {
  if (!found.ok) {
    const status = found.reason === 'expired' ? ('expired' as const) : ('unknown' as const)
    return { valid: false as const, status, reason: found.reason }
  }
  const members = found.residents.map(({ status, residentToken, homeRegion }) => ({
    status,
    residentToken,
    divisionCode: homeRegion,
    freshness: freshnessOf(homeRegion, regionCode),
  }))
  const [holder] = members
  if (!holder) throw unknownResident()
  if (!found.family) return { valid: true as const, ...holder }
  // A family passes together or not at all, unless the checkpoint looks at each.
  const status = members.reduce<CodeStatus>((worst, member) => atLeast(worst, member.status), 'green')
  return { valid: true as const, ...holder, status, members }
}
