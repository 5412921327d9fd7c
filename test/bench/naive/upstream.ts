// One upstream of the naive gateway: http-proxy-middleware inside an opossum breaker.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'
import CircuitBreaker from 'opossum'

/** Settled by the proxy's own events: its promise resolves also when the upstream failed. */
interface Settle {
  resolve(): void
  reject(error: Error): void
}

export interface Upstream {
  readonly target: string
  readonly breaker: CircuitBreaker<[IncomingMessage, ServerResponse], void>
}

const repeatable = (request: IncomingMessage): boolean =>
  request.method === 'GET' || request.method === 'HEAD'

export function createUpstream(target: string): Upstream {
  const waiting = new WeakMap<IncomingMessage, Settle>()
  const proxy = createProxyMiddleware({
    target,
    xfwd: true,
    agent: new http.Agent({ keepAlive: true, maxSockets: 1024 }),
    proxyTimeout: 2000,
    // The answer is piped here rather than by the proxy, so that a 5xx can still go to the next upstream.
    selfHandleResponse: true,
    on: {
      proxyRes(answer, request, response) {
        const settle = waiting.get(request)
        const status = answer.statusCode ?? 502
        if ((status >= 500 || status === 429) && repeatable(request)) {
          answer.resume()
          settle?.reject(new Error(`status ${status}`))
          return
        }
        if (response.headersSent) {
          answer.resume()
          return
        }
        response.writeHead(status, answer.headers)
        answer.pipe(response)
        answer.on('end', () => settle?.resolve())
        answer.on('error', (error) => settle?.reject(error))
      },
      error(error, request) {
        waiting.get(request)?.reject(error)
      },
    },
  })
  const forward = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.set(request, { resolve, reject })
      proxy(request, response).catch(reject)
    })
  const breaker = new CircuitBreaker(forward, {
    name: target,
    timeout: 2000,
    errorThresholdPercentage: 50,
    resetTimeout: 6000,
    volumeThreshold: 8,
  })
  return { target, breaker }
}
