// /v1/registrations: register a resident for screening, and read a resident's registrations.
import { z } from 'zod'
import { register, registrationView } from '../register.ts'
import type { RegistrationSubmission } from '../register.ts'
import { residentIdSchema } from '../resident.ts'
import type { CodeService } from '../service.ts'
import { registrationReceipt, registrationsAnswer } from './answers.ts'
import { onceRoute } from './idempotency.ts'
import { placeIdSchema } from './input.ts'
import { listingRoute } from './listing.ts'
import type { Route } from './routes.ts'
import { pastTimeSchema } from './times.ts'

/** @param clock Unix milliseconds; nobody was registered after that. */
const submissionSchema = (clock: () => number) =>
  z
    .strictObject({
      residentId: residentIdSchema,
      siteId: placeIdSchema,
      tubeId: placeIdSchema.optional(),
      registeredAt: pastTimeSchema(clock),
    })
    .transform(({ registeredAt, tubeId, ...rest }): RegistrationSubmission => ({
      ...rest,
      tubeId: tubeId ?? null,
      registeredAtMs: registeredAt,
    }))

/** `GET /v1/registrations/{residentId}` */
export const registrationsRoute = (service: CodeService): Route =>
  listingRoute(service, {
    name: 'registrations',
    summary: 'The registrations of a resident, newest first',
    answer: registrationsAnswer,
    newest: (residentToken, limit) =>
      service.store.registrations.newest(residentToken, limit).map(registrationView),
  })

/** `POST /v1/registrations`, under an Idempotency-Key. */
export const registerRoute = (service: CodeService): Route =>
  onceRoute({
    path: '/v1/registrations',
    summary: 'Register a resident for screening',
    body: submissionSchema(service.clock),
    answer: registrationReceipt,
    homeOnly: false,
    take: (given, key) => register(service, given, key),
  })
