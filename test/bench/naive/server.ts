// What an ordinary competent developer would put together from the same packages: the stack that we compare with.
// Run as: node server.ts PORT LOCAL-URL LOCAL-URL NEIGHBOUR-URL PROVINCE-URL
import express from 'express'
import { register, requestDuration, upstreamErrors } from './metrics.ts'
import { createUpstream, type Upstream } from './upstream.ts'

const [port, ...targets] = process.argv.slice(2)
const upstreams = targets.map(createUpstream)
const local = upstreams.slice(0, 2)
const backups = upstreams.slice(2)
let turn = 0

/** The local ones in turn, then the neighbour, then the province; without those whose breaker is open. */
function candidates(): Upstream[] {
  turn = (turn + 1) % local.length
  const order = [...local.slice(turn), ...local.slice(0, turn), ...backups]
  return order.filter(({ breaker }) => !breaker.opened)
}

const app = express()
app.disable('x-powered-by')

// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.get('/metrics', async (_request, response) => {
  response.type(register.contentType).send(await register.metrics())
})

// Express 5 passes what an async handler rejects with on to its error handler.
// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.use(async (request, response) => {
  const start = process.hrtime.bigint()
  const repeatable = request.method === 'GET' || request.method === 'HEAD'
  const order = candidates()
  let answered = 'none'
  for (const upstream of repeatable ? order : order.slice(0, 1)) {
    try {
      await upstream.breaker.fire(request, response)
      answered = upstream.target
      break
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'error'
      upstreamErrors.inc({ upstream: upstream.target, reason })
      if (response.headersSent) break
    }
  }
  if (!response.headersSent) response.status(503).json({ error: 'no upstream' })
  requestDuration.observe(
    { method: request.method, status: response.statusCode, upstream: answered },
    Number(process.hrtime.bigint() - start) / 1e9,
  )
})

const server = app.listen(Number(port), '127.0.0.1')
server.keepAliveTimeout = 65_000
