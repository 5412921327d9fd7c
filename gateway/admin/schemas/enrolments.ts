// Enrolments as they go over the wire: times as RFC 3339, and what may be left out.
import { z } from 'zod'
import { relate, termsFields, words } from '../../control/intent/enrolments.ts'
import { type Enrolment, enrolmentStates, type EnrolmentTerms, stepKinds } from '../../model/enrolment.ts'
import { legalSteps } from '../../policy/enrolment.ts'
import { timeText } from '../plane.ts'
import { checkNames } from '../../model/verification.ts'

const instant = z.iso
  .datetime({ offset: true, error: 'a time with its zone, such as 2026-01-05T00:00:00+08:00' })
  .transform((text) => Date.parse(text))
  .pipe(z.number().min(0, 'a time after 1970'))

const { data, hours, limit, nodes, tls } = termsFields
const node = nodes.element

/** What creates an enrolment, and what replaces a draft's terms. The same rules as the registry's. */
export const termsInput = z
  .strictObject({
    ...termsFields,
    nodes: z
      .array(node.extend({ weight: node.shape.weight.default(1), limit: node.shape.limit.default(null) }))
      .min(1)
      .max(100),
    limit: limit.extend({ concurrent: limit.shape.concurrent.default(null) }),
    reserve: termsFields.reserve.default(0),
    hours: hours.default(null),
    data: data.extend({ rpoSeconds: data.shape.rpoSeconds.default(2) }),
    tls: tls
      .extend({
        ca: tls.shape.ca.default(null),
        pins: tls.shape.pins.default([]),
        serverName: tls.shape.serverName.default(null),
        clientCertificate: tls.shape.clientCertificate.default(null),
      })
      .prefault({}),
    validFrom: instant,
    validUntil: instant,
  })
  .superRefine(relate) satisfies z.ZodType<EnrolmentTerms>

/** Every step but editing and verifying. */
export const stepInput = z.strictObject({ reason: words(2000) })

const text = z.strictObject({ zh: z.string(), en: z.string() })
const time = z.iso.datetime()

export const reportAnswer = z.strictObject({
  enrolment: z.string(),
  termsHash: z.string(),
  startedAt: time,
  endedAt: time,
  verdict: z.enum(['passed', 'failed', 'aborted']),
  reasons: z.array(text),
  checks: z.array(
    z.strictObject({
      name: z.enum(checkNames),
      node: z.string().nullable(),
      outcome: z.enum(['passed', 'failed', 'skipped']),
      detail: text,
      measured: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
    }),
  ),
})

const timeTextOrNull = (ms: number | null): string | null => (ms === null ? null : timeText(ms))

const actor = z.object({ id: z.string(), name: z.string() })
const named = z.enum(stepKinds)

export const enrolmentAnswer = z
  .object({
    id: z.string(),
    state: z.enum(enrolmentStates),
    possible: z.array(named).describe('Steps that its state allows.'),
    terms: z.strictObject({ ...termsFields, validFrom: time, validUntil: time }),
    createdAt: time,
    submittedBy: actor.nullable(),
    verification: z
      .object({ passed: z.boolean(), termsHash: z.string(), at: time, reasons: z.array(z.string()) })
      .nullable(),
    approval: z.object({ by: actor, at: time, termsHash: z.string() }).nullable(),
    servingSince: time.nullable(),
    servedUntil: time.nullable(),
    history: z.array(
      z.object({
        step: z.enum([...stepKinds, 'create']),
        from: z.enum(enrolmentStates).nullable(),
        to: z.enum(enrolmentStates),
        by: actor,
        at: time,
        reason: z.string().nullable(),
      }),
    ),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'Enrolment' })

const check = reportAnswer.shape.checks.element
const progress = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('began'), name: z.enum(checkNames), node: z.string().nullable() }),
  z.object({ kind: z.literal('ended'), check }),
  z.object({
    kind: z.literal('ramp'),
    step: z.int(),
    steps: z.int(),
    rps: z.number(),
    requests: z.int(),
    p99Ms: z.number(),
  }),
])

export const verificationAnswer = z
  .object({
    running: z.object({ startedAt: time, by: z.string(), progress: z.array(progress) }).nullable(),
    report: reportAnswer.nullable().describe('Of the last that ended by itself.'),
  })
  .meta({ id: 'EnrolmentVerification' })

export const toEnrolmentAnswer = (enrolment: Enrolment, version: number) => ({
  ...enrolmentView(enrolment),
  possible: legalSteps(enrolment.state),
  version,
})

/** As it is shown: times as RFC 3339 in UTC, and nothing that its people may not see. */
export const enrolmentView = (enrolment: Enrolment) => {
  const { approval, createdAt, history, servedUntil, servingSince, terms, verification } = enrolment
  return {
    ...enrolment,
    terms: { ...terms, validFrom: timeText(terms.validFrom), validUntil: timeText(terms.validUntil) },
    createdAt: timeText(createdAt),
    verification: verification === null ? null : { ...verification, at: timeText(verification.at) },
    approval: approval === null ? null : { ...approval, at: timeText(approval.at) },
    servingSince: timeTextOrNull(servingSince),
    servedUntil: timeTextOrNull(servedUntil),
    history: history.map((entry) => Object.assign({}, entry, { at: timeText(entry.at) })),
  }
}
