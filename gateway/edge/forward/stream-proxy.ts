// http-proxy-middleware as the stream engine: one instance, told for each request which connection to use.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyMiddleware, proxyEventsPlugin } from 'http-proxy-middleware'
import { definedOnly } from './flat-headers.ts'
import { answerHeaderBytes } from './pools.ts'

/** One stream's side of the engine. Each event is told at most once, except `interim`, and inside `guard`. */
export interface StreamHooks {
  /** A connection to the node, open already. */
  readonly connection: Socket
  /** Request target for the node. */
  readonly path: string
  interim(status: number, headers: Record<string, string | string[]>): void
  /** Headers came; the hook sends them on and takes the body. */
  answered(answer: IncomingMessage): void
  /** The node accepts or declines an upgrade; the hook may replace `answer.headers`. */
  upgradeAnswered(answer: IncomingMessage): void
  failed(): void
  /** Runs `task`, which tells of an event, and keeps what it throws from the engine. */
  guard(task: () => void): void
}

/** Node's own, which its typings don't tell of. */
const addRequest: unknown = Reflect.get(Agent.prototype, 'addRequest')
const current = new AsyncLocalStorage<StreamHooks>()

/** Hands out the connection that was made beforehand, so that a failed one could be tried elsewhere. */
class ConnectedAgent extends Agent {
  /** Before the engine hears of a request its parser is made, and with it the bounds of an answer's head. */
  addRequest(outgoing: ClientRequest, ...rest: unknown[]): void {
    Object.assign(outgoing, { maxHeaderSize: answerHeaderBytes, maxHeadersCount: 0 })
    if (typeof addRequest === 'function') Reflect.apply(addRequest, this, [outgoing, ...rest])
  }

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
  // The default plugins answer residents with the node's address, and log; this one alone heeds `on`.
  ejectPlugins: true,
  plugins: [proxyEventsPlugin],
  on: {
    proxyReq: (outgoing, request) => begin(outgoing, hooksOf.get(request), watchInterim),
    proxyReqWs: (outgoing, request) => begin(outgoing, hooksOf.get(request), watchUpgrade),
    proxyRes: (answer, request) => tell(hooksOf.get(request), (hooks) => hooks.answered(answer)),
    error: (_cause, request) => tell(hooksOf.get(request), (hooks) => hooks.failed()),
    econnreset: (_cause, request) => tell(hooksOf.get(request), (hooks) => hooks.failed()),
  },
})

function tell(hooks: StreamHooks | undefined, event: (hooks: StreamHooks) => void): void {
  hooks?.guard(() => event(hooks))
}

/**
 * The engine reads the target as a URL: some it normalises, and on some, such as `//`, it gives up without a word.
 * It is shown this one, and the real one is put in its place before anything is sent.
 */
const shownPath = '/'

/** Sends the request, its `headers` as they stand, over the hooks' connection. */
export function stream(request: IncomingMessage, response: ServerResponse, hooks: StreamHooks): void {
  hooksOf.set(request, hooks)
  request.url = shownPath
  void current.run(hooks, () => engine(request, response, () => tell(hooks, () => hooks.failed())))
}

/** The same for a WebSocket upgrade. */
export function streamUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  hooks: StreamHooks,
): void {
  hooksOf.set(request, hooks)
  request.url = shownPath
  current.run(hooks, () => engine.upgrade(request, socket, head))
}

type Watch = (outgoing: ClientRequest, hooks: StreamHooks) => void

function begin(outgoing: ClientRequest, hooks: StreamHooks | undefined, watch: Watch): void {
  if (hooks === undefined) return
  outgoing.path = hooks.path
  watch(outgoing, hooks)
}

function watchInterim(outgoing: ClientRequest, hooks: StreamHooks): void {
  // Told "close", a node that answers before it has read all would close at once, and the reset take its answer along.
  outgoing.setHeader('Connection', 'keep-alive')
  outgoing.on('information', (info) => {
    tell(hooks, () => hooks.interim(info.statusCode, definedOnly(info.headers)))
  })
}

// Registered before the engine's own listeners, which then send what is left in `answer.headers`.
function watchUpgrade(outgoing: ClientRequest, hooks: StreamHooks): void {
  outgoing.on('upgrade', (answer) => tell(hooks, () => hooks.upgradeAnswered(answer)))
  outgoing.on('response', (answer) => tell(hooks, () => hooks.upgradeAnswered(answer)))
}
