// What the API answers, as far as it is shown. Declared here and not taken from the gateway's own schemas: the command
// may be of another release than the gateway, and takes fields that it does not know yet.
import { z } from 'zod'

const time = z.iso.datetime()

export const holdAnswer = z.object({
  id: z.string(),
  kind: z.string(),
  node: z.string().optional(),
  region: z.string().optional(),
  owner: z.string(),
  reason: z.string(),
  createdAt: time,
  expiresAt: time,
})
export type HoldAnswer = z.output<typeof holdAnswer>

export const modeAnswer = z.object({
  mode: z.string(),
  setBy: z.string(),
  file: z.string(),
  owner: z.string().nullable(),
  reason: z.string().nullable(),
  since: time.nullable(),
})
export type ModeAnswer = z.output<typeof modeAnswer>

const scope = z.union([z.literal('*'), z.array(z.string())])

export const meAnswer = z.object({
  id: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  scope,
  by: z.string(),
  may: z.array(z.string()),
})

export const tokenAnswer = z.object({
  id: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  scope,
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
})
export type TokenAnswer = z.output<typeof tokenAnswer>

export const newTokenAnswer = tokenAnswer.extend({ token: z.string() })

export const auditRecord = z.object({
  seq: z.int(),
  at: time,
  actor: z.object({ id: z.string(), name: z.string() }).nullable(),
  from: z.string(),
  action: z.string(),
  target: z.string(),
  reason: z.string().nullable(),
  outcome: z.string(),
  detail: z.string().nullable(),
})
export type AuditRecordAnswer = z.output<typeof auditRecord>

export const verificationAnswer = z.object({
  whole: z.boolean(),
  records: z.int(),
  anchor: z.string(),
  fault: z.object({ place: z.int(), problem: z.string(), detail: z.string() }).nullable(),
})

/** Of a 204. */
export const noAnswerBody = z.undefined()

/** `*`, or codes side by side. */
export const scopeText = (of: z.output<typeof scope>): string => (of === '*' ? '*' : of.join(' '))
