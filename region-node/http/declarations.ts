// /v1/declarations (健康申报) and /v1/corrections (更正): handed in under an Idempotency-Key, and read. At home alone.
import { z } from 'zod'
import { CORRECTION_SUBJECTS, declare, requestCorrection, SYMPTOMS } from '../declare.ts'
import { regionCodeSchema, residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import type { KeptStatement } from '../store/statements.ts'
import { correctionReceipt, correctionsAnswer, declarationReceipt, declarationsAnswer } from './answers.ts'
import { onceRoute } from './idempotency.ts'
import { listingRoute } from './listing.ts'
import type { Route } from './routes.ts'
import { isoTime } from './times.ts'

const MOST_VISITED = 30

const declared = {
  symptoms: z
    .array(z.enum(SYMPTOMS))
    .max(SYMPTOMS.length)
    .refine((symptoms) => new Set(symptoms).size === symptoms.length, { error: 'must not repeat a symptom' })
    // In any order the same declaration.
    .transform((symptoms) => symptoms.toSorted()),
  temperatureCelsius: z.number().min(34).max(43).nullable().default(null),
  contact: z.boolean(),
  visitedDivisions: z.array(regionCodeSchema).max(MOST_VISITED),
}

const corrected = {
  subject: z.enum(CORRECTION_SUBJECTS),
  testId: z.guid().nullable().default(null),
  statement: z.string().trim().min(1).max(1_000),
}

const declarationSchema = z.strictObject({ residentId: residentIdSchema, ...declared })
const correctionSchema = z.strictObject({ residentId: residentIdSchema, ...corrected })

// Parsed on the way out too: what is in the store was once such a submission, and anything else is a fault of ours.
const storedDeclaration = z.strictObject(declared)
const storedCorrection = z.strictObject(corrected)

export const declarationRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/declarations',
    summary: 'Declare one’s health (健康申报)',
    body: declarationSchema,
    answer: declarationReceipt,
    homeOnly: true,
    take: (given, key) => declare(service, given, key),
  })

export const correctionRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/corrections',
    summary: 'Say what is wrong (更正)',
    body: correctionSchema,
    answer: correctionReceipt,
    homeOnly: true,
    take: (given, key) => requestCorrection(service, given, key),
  })

/** `GET /v1/declarations/{residentId}` */
export const declarationsRoute = (service: CodeService): Route =>
  listingRoute(service, {
    name: 'declarations',
    summary: 'The declarations of a resident, newest first',
    answer: declarationsAnswer,
    homeOnly: true,
    newest: (residentToken, limit) =>
      service.store.statements.newest(residentToken, 'declaration', limit).map(declarationView),
  })

/** `GET /v1/corrections/{residentId}` */
export const correctionsRoute = (service: CodeService): Route =>
  listingRoute(service, {
    name: 'corrections',
    summary: 'What a resident said is wrong, newest first',
    answer: correctionsAnswer,
    homeOnly: true,
    newest: (residentToken, limit) =>
      service.store.statements.newest(residentToken, 'correction', limit).map(correctionView),
  })

const declarationView = ({ statementId, receivedAtMs, details }: KeptStatement): object => ({
  declarationId: statementId,
  ...storedDeclaration.parse(JSON.parse(details)),
  receivedAt: isoTime(receivedAtMs),
})

const correctionView = ({ statementId, receivedAtMs, details }: KeptStatement): object => ({
  correctionId: statementId,
  state: 'received',
  ...storedCorrection.parse(JSON.parse(details)),
  receivedAt: isoTime(receivedAtMs),
})
