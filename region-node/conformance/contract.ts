// The contract of a region node, as the kit reads it. Written apart from our own node's code, which is judged by it too.
import { z } from 'zod'

/*
 * Members that are not named here are allowed in every answer: a vendor may tell more, and readers pass over what they
 * do not know. They are looked at for leaks all the same.
 */

export const colourSchema = z.enum(['green', 'yellow', 'red'])
export type Colour = z.infer<typeof colourSchema>
export const severityOf: Record<Colour, number> = { green: 0, yellow: 1, red: 2 }

const region = z.string().regex(/^\d{6}$/, 'six digits')
const time = z.iso.datetime({ offset: true })
const token = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/, '16 to 64 letters, digits, "_" or "-"')
const freshness = z.enum(['live', 'replica', 'stale'])

export const aliveSchema = z.looseObject({ status: z.literal('alive'), node: z.string().min(1), region })
export const readySchema = z.looseObject({
  status: z.literal('ready'),
  region,
  notReadyFor: z.array(z.looseObject({ region })),
})

/** `limit` bounded, so that a node can't declare itself endless. */
export const loadSchema = z.looseObject({
  inFlight: z.int().min(0),
  limit: z.int().min(1).max(1_000_000),
  draining: z.boolean(),
})

export const codeSchema = z.looseObject({
  residentToken: token,
  code: z.string().min(1),
  status: colourSchema,
  divisionCode: region,
  issuer: region,
  issuedAt: time,
  validUntil: time,
  updatedAt: time,
  testTime: time.nullable(),
  testResult: z.enum(['negative', 'positive', 'pending']).nullable(),
  freshness,
})
export type CodeAnswer = z.infer<typeof codeSchema>

/** What is signed in a code; times in seconds. */
export const claimsSchema = z.looseObject({
  v: z.literal(1),
  iss: region,
  hom: region,
  sub: token,
  st: colourSchema,
  tst: z.int().optional(),
  iat: z.int(),
  exp: z.int(),
  seq: z.int().min(0),
  rid: z.string().min(8).max(24),
})
export type Claims = z.infer<typeof claimsSchema>

export const verificationSchema = z.discriminatedUnion('valid', [
  z.looseObject({
    valid: z.literal(true),
    status: colourSchema,
    residentToken: token,
    divisionCode: region,
    freshness,
    issuer: region,
    verifiedAt: time,
  }),
  z.looseObject({
    valid: z.literal(false),
    status: z.enum(['expired', 'unknown']),
    reason: z.string().min(1),
    issuer: region,
    verifiedAt: time,
  }),
])

export const testReceiptSchema = z.looseObject({
  testId: z.string(),
  residentToken: token,
  status: colourSchema,
})
export const registrationReceiptSchema = z.looseObject({ registrationId: z.string(), residentToken: token })
export const registrationsSchema = z.looseObject({
  residentToken: token,
  divisionCode: region,
  freshness,
  registrations: z.array(z.looseObject({ registrationId: z.string() })),
})

export const paperReceiptSchema = z.looseObject({
  codeId: z.string().min(1).max(64),
  code: z.string().min(1),
  residentTokens: z.array(token).min(1),
  issuedAt: time,
  validUntil: time,
})
export type PaperReceipt = z.infer<typeof paperReceiptSchema>
export const lossReceiptSchema = z.looseObject({ codesLost: z.int().min(0) })

export const revocationListsSchema = z.looseObject({ lists: z.array(z.string()) })

/** https://www.rfc-editor.org/rfc/rfc9457; `about:blank` would tell programs nothing. */
export const problemSchema = z.looseObject({
  type: z.string().regex(/^[a-z][a-z0-9+.-]*:(?!blank$)\S+$/i, 'a URI of its own'),
  title: z.string().min(1),
  status: z.int(),
})

/** `undefined` where it is no JSON, which no schema takes. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Which members do not fit, and why; values are left out, since they may be a resident's. */
export const faultsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'the answer'}: ${message}`)
    .join('; ')
