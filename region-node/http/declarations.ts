// POST /v1/declarations (健康申报) and /v1/corrections (更正), under an Idempotency-Key. Home takes them alone.
import { z } from 'zod'
import { CORRECTION_SUBJECTS, declare, requestCorrection, SYMPTOMS } from '../declare.ts'
import { regionCodeSchema, residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { correctionReceipt, declarationReceipt } from './answers.ts'
import { onceRoute } from './idempotency.ts'
import type { Route } from './routes.ts'

const MOST_VISITED = 30

const declarationSchema = z.strictObject({
  residentId: residentIdSchema,
  symptoms: z
    .array(z.enum(SYMPTOMS))
    .max(SYMPTOMS.length)
    .refine((symptoms) => new Set(symptoms).size === symptoms.length, { error: 'must not repeat a symptom' })
    // In any order the same declaration.
    .transform((symptoms) => symptoms.toSorted()),
  temperatureCelsius: z.number().min(34).max(43).nullable().default(null),
  contact: z.boolean(),
  visitedDivisions: z.array(regionCodeSchema).max(MOST_VISITED),
})

const correctionSchema = z.strictObject({
  residentId: residentIdSchema,
  subject: z.enum(CORRECTION_SUBJECTS),
  testId: z.guid().nullable().default(null),
  statement: z.string().trim().min(1).max(1_000),
})

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
