// The shapes of the node's answers. The OpenAPI document is made of them, and a test holds real answers to it.
import { z } from 'zod'
import { CORRECTION_SUBJECTS, SYMPTOMS } from '../declare.ts'
import { codeStatusSchema, regionCodeSchema, testResultSchema } from '../resident.ts'
import { SUBJECT_TOKEN } from '../tokens/subject-token.ts'

const time = z.string().meta({ format: 'date-time', description: 'UTC' })
const token = z.string().regex(SUBJECT_TOKEN).describe('Opaque name of the resident, the same on every node')
const freshness = z
  .enum(['live', 'replica', 'stale'])
  .describe(
    '`live` from home, `replica` from a donor as near to home as agreed, `stale` from one that is not',
  )
const testFields = { testTime: time.nullable(), testResult: testResultSchema.nullable() }
const division = regionCodeSchema.describe('Home region, vocabulary aligned with GB/T 2260')
const issuer = regionCodeSchema.describe('Region whose node answers')

export const codeAnswer = z
  .strictObject({
    residentToken: token,
    code: z.string().describe('What the QR shows'),
    status: codeStatusSchema,
    divisionCode: division,
    issuer,
    issuedAt: time,
    validUntil: time,
    updatedAt: time,
    ...testFields,
    freshness,
  })
  .meta({ id: 'Code' })

const person = {
  status: codeStatusSchema.describe('Of what is signed and what the node knows the more restrictive'),
  residentToken: token,
  divisionCode: division,
  freshness: freshness.describe(
    '`stale`: the copy is older than agreed, or no such resident is held and the colour is that of the signing',
  ),
}
const age = z.int().min(0).nullable()
const checked = {
  lists: z
    .strictObject({ trustSeconds: age, revocationsSeconds: age })
    .optional()
    .describe('Age of the lists that a signed code was judged by'),
  issuer,
  verifiedAt: time,
  checkpointId: z.string().optional(),
}

export const verificationAnswer = z
  .union([
    z.strictObject({
      valid: z.literal(true),
      ...person,
      members: z
        .array(z.strictObject(person))
        .optional()
        .describe(
          'Of a family code: all whom it stands for, its holder first; `status` is the worst of them',
        ),
      ...checked,
    }),
    z.strictObject({
      valid: z.literal(false),
      status: z.enum(['expired', 'unknown']),
      reason: z.enum([
        'expired',
        'not-yet-valid',
        'tampered',
        'revoked',
        'unknown-issuer',
        'undelegated',
        'list-too-old',
        'malformed',
        'lost',
        'unknown-code',
      ]),
      ...checked,
    }),
  ])
  .meta({ id: 'Verification' })

const test = z
  .strictObject({
    testId: z.guid(),
    result: testResultSchema,
    sampledAt: time,
    reportedAt: time,
    laboratory: z.string().nullable(),
    originRegion: regionCodeSchema.describe('Region whose node took it in'),
  })
  .meta({ id: 'Test' })

export const testReceipt = z
  .strictObject({ ...test.shape, residentToken: token, status: codeStatusSchema })
  .meta({ id: 'TestReceipt' })

const registration = z
  .strictObject({
    registrationId: z.guid(),
    siteId: z.string(),
    tubeId: z.string().nullable(),
    registeredAt: time,
    receivedAt: time,
    originRegion: regionCodeSchema.describe('Region whose node took it in'),
  })
  .meta({ id: 'Registration' })

export const registrationReceipt = z
  .strictObject({ residentToken: token, ...registration.shape })
  .meta({ id: 'RegistrationReceipt' })

const listed = { residentToken: token, divisionCode: division, freshness }
export const testsAnswer = z.strictObject({ ...listed, tests: z.array(test) }).meta({ id: 'Tests' })
export const registrationsAnswer = z
  .strictObject({ ...listed, registrations: z.array(registration) })
  .meta({ id: 'Registrations' })

export const declarationReceipt = z
  .strictObject({
    declarationId: z.guid(),
    residentToken: token,
    status: codeStatusSchema,
    receivedAt: time,
  })
  .meta({ id: 'DeclarationReceipt' })

export const correctionReceipt = z
  .strictObject({
    correctionId: z.guid(),
    residentToken: token,
    state: z.literal('received'),
    receivedAt: time,
  })
  .meta({ id: 'CorrectionReceipt' })

export const declarationsAnswer = z
  .strictObject({
    ...listed,
    declarations: z.array(
      z.strictObject({
        declarationId: z.guid(),
        symptoms: z.array(z.enum(SYMPTOMS)),
        temperatureCelsius: z.number().nullable(),
        contact: z.boolean(),
        visitedDivisions: z.array(division),
        receivedAt: time,
      }),
    ),
  })
  .meta({ id: 'Declarations' })

export const correctionsAnswer = z
  .strictObject({
    ...listed,
    corrections: z.array(
      z.strictObject({
        correctionId: z.guid(),
        state: z.literal('received'),
        subject: z.enum(CORRECTION_SUBJECTS),
        testId: z.guid().nullable(),
        statement: z.string(),
        receivedAt: time,
      }),
    ),
  })
  .meta({ id: 'Corrections' })

export const carriedCodeReceipt = z
  .strictObject({
    codeId: z.guid(),
    code: z.string().describe('What is printed as a QR'),
    residentTokens: z.array(token).min(1).describe('Whom it stands for, its holder first'),
    issuedAt: time,
    validUntil: time,
  })
  .meta({ id: 'CarriedCodeReceipt' })

export const lossReceipt = z
  .strictObject({
    lossReportId: z.guid(),
    residentToken: token,
    codesLost: z.int().min(0),
    reportedAt: time,
  })
  .meta({ id: 'LossReceipt' })

const place = { index: z.int().min(0).describe('Place of the token in the request') }

export const cardLookupsAnswer = z
  .strictObject({
    results: z.array(
      z.discriminatedUnion('outcome', [
        z.strictObject({
          ...place,
          outcome: z.literal('found'),
          subjectToken: token,
          status: codeStatusSchema,
          divisionCode: division,
          updatedAt: time,
          ...testFields,
          freshness,
        }),
        z.strictObject({ ...place, outcome: z.literal('unknown'), subjectToken: token }),
        z
          .strictObject({
            ...place,
            outcome: z.literal('copy-not-fit'),
            subjectToken: token,
            divisionCode: regionCodeSchema,
          })
          .describe(
            'What is held of that home is too old, not whole or without an agreement: ask another node',
          ),
        z.strictObject({ ...place, outcome: z.literal('invalid') }),
      ]),
    ),
    issuer,
    lookedUpAt: time,
  })
  .meta({ id: 'CardLookups' })

const copies = z
  .array(
    z.strictObject({
      region: regionCodeSchema,
      lagMs: z.int().min(0).describe('How far behind home it is, or was when home was last heard'),
      ageMs: z
        .int()
        .min(0)
        .nullable()
        .describe('Since when home may have changed unnoticed; null: never whole'),
      inContact: z.boolean(),
      waitingWrites: z.int().min(0).describe('Taken for home, and not known to be there'),
      agreement: z.string().nullable(),
    }),
  )
  .describe('Of the homes that it follows')
const identity = { node: z.string(), region: regionCodeSchema, data: z.literal('synthetic') }
export const aliveAnswer = z.strictObject({ status: z.literal('alive'), ...identity }).meta({ id: 'Alive' })
export const readyAnswer = z
  .strictObject({
    status: z.literal('ready'),
    ...identity,
    notReadyFor: z
      .array(z.strictObject({ region: regionCodeSchema, check: z.string(), detail: z.string() }))
      .describe('Homes that it stands in for and can’t serve now'),
    copies,
  })
  .meta({ id: 'Ready' })
export const loadAnswer = z
  .strictObject({ inFlight: z.int().min(0), limit: z.int().min(1), draining: z.boolean(), copies })
  .meta({ id: 'Load' })

export const jwksAnswer = z
  .strictObject({ keys: z.array(z.looseObject({ kid: z.string() })) })
  .meta({ id: 'Jwks' })
export const revocationListsAnswer = z
  .strictObject({ lists: z.array(z.string().describe('Compact JWS')) })
  .meta({ id: 'RevocationLists' })

/** https://www.rfc-editor.org/rfc/rfc9457 */
export const problemAnswer = z
  .looseObject({
    type: z.string().regex(/^urn:chiyuan:problem:[a-z-]+$/),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    errors: z
      .array(
        z.strictObject({
          in: z.enum(['body', 'path', 'query', 'header']),
          field: z.string().describe('Dotted when nested; empty when the body as a whole is meant'),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' })
