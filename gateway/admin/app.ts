// The operators' listener: is it alive, is it ready, what does it count. Never on the residents' path.
import express, { type Express, type NextFunction, type Request, type Response } from 'express'

export interface AdminParts {
  /** Why residents should not be sent here, or `null`. */
  notReady(): string | null
  /** What is amiss although residents are served, such as a lost registry. */
  warnings(): readonly string[]
  metrics(): Promise<{ contentType: string; body: string }>
}

export function adminApp(parts: AdminParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get('/livez', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' })
  })
  app.get('/readyz', (_request, response) => {
    const reason = parts.notReady()
    response.set('Cache-Control', 'no-store')
    if (reason === null) response.json({ status: 'ready', warnings: parts.warnings() })
    else problem(response, 503, 'not-ready', 'The gateway is not ready', reason)
  })
  app.get('/metrics', async (_request, response) => {
    const { contentType, body } = await parts.metrics()
    response.set('Content-Type', contentType).send(body)
  })
  app.use((request, response) => {
    problem(
      response,
      404,
      'not-found',
      'There is no such resource',
      `${request.method} is not answered at this path`,
    )
  })
  // Express tells an error handler by its four parameters.
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    problem(response, 500, 'internal', 'The admin listener failed', 'See the log; residents are not affected')
  })
  return app
}

/** RFC 9457. */
function problem(response: Response, status: number, type: string, title: string, detail: string): void {
  response
    .status(status)
    .set('Content-Type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify({ type: `urn:chiyuan:problem:${type}`, title, status, detail }))
}
