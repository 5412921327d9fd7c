// http-proxy-middleware as the stream engine: one instance, told for each request which connection to use.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyMiddleware } from 'http-proxy-middleware'

/** One stream's side of the engine. Each method is called at most once, except `interim`. */
export interface StreamHooks {
  /** A connection to the node, open already. */
  readonly connection: Socket
  interim(status: number, headers: Record<string, string | string[]>): void
  /** Headers came; the hook sends them on and takes the body. */
  answered(answer: IncomingMessage): void
  /** The node accepts or declines an upgrade; the hook may replace `answer.headers`. */
  upgradeAnswered(answer: IncomingMessage): void
  failed(cause: Error): void
}

const current = new AsyncLocalStorage<StreamHooks>()

/** Hands out the connection that was made beforehand, so that a failed one could be tried elsewhere. */
class ConnectedAgent extends Agent {
  override createConnection(): Duplex {
    return current.getStore()?.connection ?? new Socket().destroy(new Error('no connection was made'))
  }
}

// Hooks by request: the engine's events come with the request, not with our context.
const hooksOf = new WeakMap<IncomingMessage, StreamHooks>()

const engine = createProxyMiddleware({
  // Never dialled: the agent has the connection. The Host header is the request's own.
  target: 'http://connected.invalid',
  agent: new ConnectedAgent({ keepAlive: false }),
  selfHandleResponse: true,
  // The default plugins answer residents with the node's address, and log.
  ejectPlugins: true,
  on: {
    proxyReq: (outgoing, request) => watchInterim(outgoing, hooksOf.get(request)),
    proxyReqWs: (outgoing, request) => watchUpgrade(outgoing, hooksOf.get(request)),
    proxyRes: (answer, request) => hooksOf.get(request)?.answered(answer),
    error: (cause, request) => hooksOf.get(request)?.failed(cause),
    econnreset: (cause, request) => hooksOf.get(request)?.failed(cause),
  },
})

/** Sends the request, its `url` and `headers` as they stand, over the hooks' connection. */
export function stream(request: IncomingMessage, response: ServerResponse, hooks: StreamHooks): void {
  hooksOf.set(request, hooks)
  void current.run(hooks, () =>
    engine(request, response, (cause?: unknown) => {
      if (cause instanceof Error) hooks.failed(cause)
    }),
  )
}

/** The same for a WebSocket upgrade. */
export function streamUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  hooks: StreamHooks,
): void {
  hooksOf.set(request, hooks)
  current.run(hooks, () => engine.upgrade(request, socket, head))
}

function watchInterim(outgoing: ClientRequest, hooks: StreamHooks | undefined): void {
  outgoing.on('information', (info) => {
    const headers: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(info.headers)) if (value !== undefined) headers[name] = value
    hooks?.interim(info.statusCode, headers)
  })
}

// Registered before the engine's own listeners, which then send what is left in `answer.headers`.
function watchUpgrade(outgoing: ClientRequest, hooks: StreamHooks | undefined): void {
  outgoing.on('upgrade', (answer) => hooks?.upgradeAnswered(answer))
  outgoing.on('response', (answer) => hooks?.upgradeAnswered(answer))
}
