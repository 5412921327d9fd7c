// POST /v1/paper-codes, /v1/family-codes and /v1/loss-reports, under an Idempotency-Key. Home takes them alone.
import { z } from 'zod'
import { issueCarriedCode, reportLoss } from '../carried-codes.ts'
import { residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { carriedCodeReceipt, lossReceipt } from './answers.ts'
import { onceRoute } from './idempotency.ts'
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

export const paperCodeRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/paper-codes',
    summary: 'Issue a code to be printed on paper',
    body: paperSchema,
    answer: carriedCodeReceipt,
    homeOnly: true,
    take: ({ residentId }, key) =>
      issueCarriedCode(service, { kind: 'paper', residentId, memberIds: [] }, key),
  })

export const familyCodeRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/family-codes',
    summary: 'Issue one code for a family, to be printed or carried by one of them',
    body: familySchema,
    answer: carriedCodeReceipt,
    homeOnly: true,
    take: ({ residentId, memberIds }, key) => {
      // Whoever carries it is in it anyway.
      const others = memberIds.filter((id) => id !== residentId)
      return issueCarriedCode(service, { kind: 'family', residentId, memberIds: others }, key)
    },
  })

export const lossReportRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/loss-reports',
    summary: 'Report codes lost (挂失): no checkpoint takes them any more',
    body: lossSchema,
    answer: lossReceipt,
    homeOnly: true,
    take: ({ residentId, codeId }, key) => reportLoss(service, { residentId, codeId }, key),
  })
