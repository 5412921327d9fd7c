// POST /v1/verifications: a checkpoint asks whether a code, or a resident, is good now (验码).
import { z } from 'zod'
import { judgeCode, judgeResident } from '../judge-code.ts'
import { residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { verificationAnswer } from './answers.ts'
import { placeIdSchema, readInput } from './input.ts'
import { copyNotFit } from './problem.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'
import { unknownHere } from './unknown-here.ts'

// Longer than any code, so that one that is too long gets its verdict.
const MOST_CHARACTERS = 4096

const verificationSchema = z
  .strictObject({
    code: z.string().min(1).max(MOST_CHARACTERS).optional(),
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
      problems: [400, 404, 413, 415, 421, 422, 503],
    },
  },
  post: async (req, res) => {
    const { code, residentId, checkpointId } = readInput(verificationSchema, req.body, 'body')
    const judged =
      code === undefined ? judgeResident(service, residentId ?? '') : await judgeCode(service, code)
    if (judged === 'unknown-resident') throw unknownHere(service)
    if ('notFit' in judged) throw copyNotFit(judged.notFit)
    sendJson(res, 200, {
      ...judged,
      issuer: service.regionCode,
      verifiedAt: new Date(service.clock()).toISOString(),
      checkpointId,
    })
  },
})
