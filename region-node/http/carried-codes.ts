// POST /v1/paper-codes, /v1/family-codes and /v1/loss-reports, under an Idempotency-Key. Home takes them alone.
import { z } from 'zod'
import { issueCarriedCode, reportLoss } from '../carried-codes.ts'
import { residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { carriedCodeReceipt, lossReceipt } from './answers.ts'
import { readKey, sendRecorded } from './idempotency.ts'
import { readInput } from './input.ts'
import { HOME_ONCE } from './routes.ts'
import type { Route } from './routes.ts'

const MOST_MEMBERS = 8

const paperSchema = z.strictObject({ residentId: residentIdSchema })

const familySchema = z.strictObject({
  residentId: residentIdSchema.describe('Who will carry the code'),
  memberIds: z
    .array(residentIdSchema)
    .min(1)
    .max(MOST_MEMBERS)
    .refine((ids) => new Set(ids).size === ids.length, { error: 'must not name a member twice' })
    // In any order the same family.
    .transform((ids) => ids.toSorted()),
})

const lossSchema = z.strictObject({
  residentId: residentIdSchema,
  codeId: z.uuid().optional().describe('Left out: all that the resident carries'),
})

export const paperCodeRoute = (service: CodeService): Route => ({
  path: '/v1/paper-codes',
  docs: {
    post: {
      summary: 'Issue a code to be printed on paper',
      body: paperSchema,
      answer: carriedCodeReceipt,
      ...HOME_ONCE,
    },
  },
  post: async (req, res) => {
    const key = readKey(req)
    const { residentId } = readInput(paperSchema, req.body, 'body')
    sendRecorded(res, await issueCarriedCode(service, { kind: 'paper', residentId, memberIds: [] }, key))
  },
})

export const familyCodeRoute = (service: CodeService): Route => ({
  path: '/v1/family-codes',
  docs: {
    post: {
      summary: 'Issue one code for a family, to be printed or carried by one of them',
      body: familySchema,
      answer: carriedCodeReceipt,
      ...HOME_ONCE,
    },
  },
  post: async (req, res) => {
    const key = readKey(req)
    const { residentId, memberIds } = readInput(familySchema, req.body, 'body')
    // Whoever carries it is in it anyway.
    const others = memberIds.filter((id) => id !== residentId)
    sendRecorded(res, await issueCarriedCode(service, { kind: 'family', residentId, memberIds: others }, key))
  },
})

export const lossReportRoute = (service: CodeService): Route => ({
  path: '/v1/loss-reports',
  docs: {
    post: {
      summary: 'Report codes lost (挂失): no checkpoint takes them any more',
      body: lossSchema,
      answer: lossReceipt,
      ...HOME_ONCE,
    },
  },
  post: async (req, res) => {
    const key = readKey(req)
    const { residentId, codeId } = readInput(lossSchema, req.body, 'body')
    sendRecorded(res, await reportLoss(service, { residentId, codeId }, key))
  },
})
