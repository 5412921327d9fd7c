// The Express application: routes in order, then 404, then the one place where errors become answers.
import { isNativeError } from 'node:util/types'
import express from 'express'
import type { ErrorRequestHandler, Express } from 'express'
import { z } from 'zod'
import type { RegionNodeLog } from '../options.ts'
import type { CodeService } from '../service.ts'
import { codeRoute, credentialRoute } from './codes.ts'
import { cardLookupsRoute } from './id-cards.ts'
import { familyCodeRoute, lossReportRoute, paperCodeRoute } from './carried-codes.ts'
import { correctionRoute, correctionsRoute, declarationRoute, declarationsRoute } from './declarations.ts'
import { healthRoutes } from './health.ts'
import { openApiRoute } from './openapi.ts'
import { pageRoutes } from './pages.ts'
import { ProblemError, retryAfter, sendProblem } from './problem.ts'
import type { Problem } from './problem.ts'
import { addRoute } from './routes.ts'
import { registerRoute, registrationsRoute } from './registrations.ts'
import { submitTestRoute, testsRoute } from './tests.ts'
import { trustRoutes } from './trust.ts'
import { verificationRoute } from './verifications.ts'

export function createApp(service: CodeService): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  const served = [
    codeRoute(service),
    credentialRoute(service),
    verificationRoute(service),
    submitTestRoute(service),
    testsRoute(service),
    cardLookupsRoute(service),
    registerRoute(service),
    registrationsRoute(service),
    declarationRoute(service),
    declarationsRoute(service),
    correctionRoute(service),
    correctionsRoute(service),
    paperCodeRoute(service),
    familyCodeRoute(service),
    lossReportRoute(service),
    ...trustRoutes(service),
    ...healthRoutes(service),
  ]
  for (const route of [...served, openApiRoute(served), ...pageRoutes(service.log)]) addRoute(app, route)
  app.use((_req, res) => {
    sendProblem(res, { status: 404, code: 'unknown-route', title: 'Not found' })
  })
  app.use(answerError(service.log))
  return app
}

const answerError =
  (log: RegionNodeLog): ErrorRequestHandler =>
  // Express knows an error handler by its four parameters.
  // oxlint-disable-next-line max-params
  (error: unknown, _req, res, _next) => {
    const problem = problemOf(error)
    if (problem.status >= 500) log.error(faultOf(error), problem.title)
    if (res.headersSent) res.destroy()
    else sendProblem(res, problem)
  }

const thrownFields = z.object({
  status: z.int().optional(),
  type: z.string().optional(),
  code: z.unknown().optional(),
})

/** The answer to anything thrown: our own problems, what the body parser found, SQLite, the unforeseen. */
function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  const thrown = thrownFields.safeParse(error).data
  if (thrown?.code === 'ERR_SQLITE_ERROR') {
    return {
      status: 503,
      code: 'store-unavailable',
      title: 'The store does not answer',
      headers: retryAfter(),
    }
  }
  if (thrown?.type === 'entity.parse.failed') {
    return { status: 400, code: 'malformed-json', title: 'The body is not JSON' }
  }
  if (thrown?.status === 413) {
    return {
      status: 413,
      code: 'body-too-large',
      title: 'Body too large',
      detail: 'A body may have 64 KiB.',
    }
  }
  if (thrown?.status === 415) {
    return { status: 415, code: 'unsupported-media-type', title: 'Unsupported media type' }
  }
  // A path that can't be decoded, a body cut short.
  if (thrown?.status === 400) return { status: 400, code: 'invalid-input', title: 'Invalid request' }
  return { status: 500, code: 'internal', title: 'Internal error' }
}

// Messages can quote what a resident sent, so a log line gets the kind of error and where it arose.
function faultOf(error: unknown): object {
  if (!isNativeError(error)) return { kind: typeof error }
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
  return { kind: error.name, code: 'code' in error ? error.code : undefined, frames }
}
