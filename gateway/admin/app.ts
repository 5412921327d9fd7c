// The operators' listener: health and metrics for machines, the API for people. Never on the residents' path.
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import helmet, { type HelmetOptions } from 'helmet'
import type { AuditEntry } from '../model/audit.ts'
import type { AuthenticateParts } from './authenticate.ts'
import { apiRoot, mountRoutes } from './dispatch.ts'
import { mountDocs } from './docs-page.ts'
import { openApiDocument } from './openapi.ts'
import type { AdminRoute } from './operation.ts'
import type { Plane } from './plane.ts'
import { Problem, sendProblem } from './problem.ts'
import { accessRoutes } from './routes/access.ts'
import { auditRoutes } from './routes/audit.ts'
import { enrolmentRoutes } from './routes/enrolments.ts'
import { enrolmentStepRoutes } from './routes/enrolment-steps.ts'
import { statusRoutes } from './routes/status.ts'
import type { WorkBudget } from '../policy/work-budget.ts'
import type { Verifications } from './verifications.ts'
import { drillInsightRoutes } from './routes/drill-insight.ts'
import { drillLeverRoutes } from './routes/drill-lever.ts'
import { drillRoutes } from './routes/drills.ts'
import { federationRoutes } from './routes/federation.ts'
import { gatewayRoutes } from './routes/gateways.ts'
import { foresightRoutes } from './routes/foresight.ts'
import { holdRoutes } from './routes/holds.ts'
import { modeRoutes } from './routes/mode.ts'
import { tokenRoutes } from './routes/tokens.ts'

export interface AdminParts {
  /** Why residents should not be sent here, or `null`. */
  notReady(): string | null
  /** What is amiss although residents are served, such as a lost registry. */
  warnings(): readonly string[]
  metrics(): Promise<{ contentType: string; body: string }>
}

/** What the API takes beside {@link AdminParts}. */
export interface ApiParts extends AuthenticateParts {
  readonly plane: Plane
  readonly verifications: Verifications
  readonly budget: WorkBudget
  note(entry: AuditEntry): Promise<void>
  /** A fault of our own. */
  fault(cause: unknown): void
}

/**
 * Only what this listener serves by itself, and in no frame. Nothing is upgraded to TLS: a listener without it has none. The
 * host's other ports and names are none of ours to bind to TLS.
 */
const headerPolicy: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  xFrameOptions: { action: 'deny' },
}

/** @param api `null` where only health and metrics are offered. */
export function adminApp(parts: AdminParts, api: ApiParts | null = null): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  // One spelling of each path, so that rules of whatever stands before this listener can't be gone round.
  app.set('case sensitive routing', true)
  app.set('strict routing', true)
  app.use(helmet(headerPolicy))
  mountHealth(app, parts)
  if (api !== null) mountApi(app, api)
  app.use((request, response) => {
    sendProblem(response, new Problem('not-found', `${request.method} is not answered at this path`))
  })
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (isBadUrl(error)) return sendProblem(response, new Problem('malformed', 'the URL is malformed'))
    api?.fault(error)
    sendProblem(response, new Problem('internal', 'See the gateway’s log; residents are not affected'))
  })
  return app
}

export const apiRoutes = (plane: Plane, verifications: Verifications): AdminRoute[] => [
  ...statusRoutes(plane),
  ...enrolmentRoutes(plane, verifications),
  ...enrolmentStepRoutes(plane, verifications),
  ...accessRoutes(plane),
  ...federationRoutes(plane),
  ...gatewayRoutes(plane),
  ...foresightRoutes(plane),
  ...holdRoutes(plane),
  ...drillRoutes(plane),
  ...drillLeverRoutes(plane),
  ...drillInsightRoutes(plane),
  ...modeRoutes(plane),
  ...auditRoutes(plane),
  ...tokenRoutes(plane),
]

function mountHealth(app: Express, parts: AdminParts): void {
  app.get('/livez', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' })
  })
  app.get('/readyz', (_request, response) => {
    const reason = parts.notReady()
    response.set('Cache-Control', 'no-store')
    if (reason === null) response.json({ status: 'ready', warnings: parts.warnings() })
    else sendProblem(response, new Problem('not-ready', reason))
  })
  app.get('/metrics', async (_request, response) => {
    const { contentType, body } = await parts.metrics()
    response.set('Content-Type', contentType).send(body)
  })
}

function mountApi(app: Express, api: ApiParts): void {
  const routes = apiRoutes(api.plane, api.verifications)
  mountRoutes(app, routes, { ...api, desk: api.plane.desk })
  // Made when first asked for: most gateways never are.
  let made: object | undefined
  const document = (): object => (made ??= openApiDocument(routes))
  app.get(`${apiRoot}/openapi.json`, (_request, response) => {
    response.set('Cache-Control', 'no-cache').json(document())
  })
  mountDocs(app, document)
}

/** Express's own words for a path that can't be decoded. */
const isBadUrl = (error: unknown): boolean => error instanceof URIError
