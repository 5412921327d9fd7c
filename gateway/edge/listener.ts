// The data plane's front: takes each request through the stages, one after the other, and never throws at the server.
// A plain request listener; it mounts in Express as it is.
import type { Socket } from 'node:net'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from '../model/events.ts'
import { takeBody } from './body.ts'
import { rawReply, reply } from './error-reply.ts'
import type { Reason } from './error-texts.ts'
import type { Exchange } from './exchange.ts'
import type { ForwardParts } from './forward/parts.ts'
import { noBody } from './forward/race.ts'
import { forwardReplayable } from './forward/replayable.ts'
import { forwardStreaming, forwardUpgrade } from './forward/streaming.ts'
import { cut, type PublicRequest, type PublicResponse } from './http.ts'
import { readHead, type RequestHead } from './request-head.ts'
import { admit } from './stages/admit.ts'
import { type Arrival, contextOf, newArrival } from './stages/context.ts'
import type { View } from './view.ts'

export interface EdgeParts extends ForwardParts {
  /** The view in force; read once a request. Never throws. */
  view(): View
  /** By which parts a request goes on while a drill is on; without it always by these. */
  readonly ways?: { of(exchange: Exchange): ForwardParts }
}

/** Whoever is owed an answer, whichever way it is written. */
interface Client {
  /** Answers with `reason`, unless an answer has begun. Returns whether it did. */
  tell(reason: Reason): boolean
  cut(): void
}

export class Edge {
  private readonly parts: EdgeParts
  private streams = 0
  /** Connections whose last answer was a refusal. Our own listener keeps count by itself, another's may not. */
  private readonly refused = new WeakSet<Socket>()

  constructor(parts: EdgeParts) {
    this.parts = parts
  }

  /** Serves one request. `expectsContinue` where the client waits for a 100 before it sends the body. */
  readonly handle = (request: PublicRequest, response: PublicResponse, expectsContinue = false): void => {
    const arrival = newArrival(request, response, headOf(request), this.parts.view())
    try {
      const exchange = this.letIn(arrival)
      if (typeof exchange === 'string') this.refuse(arrival, exchange)
      else this.forward(arrival, exchange, expectsContinue)
    } catch (cause) {
      this.failed(httpClient(arrival), cause)
    }
  }

  /** The same as Express middleware or as a `node:http` request listener of somebody else's server. */
  readonly middleware = (request: IncomingMessage, response: ServerResponse): void => {
    // Parsed in the same packet: what hides behind a refusal is not a request (RFC 9112 section 9.6).
    if (!this.refused.has(request.socket)) this.handle(request, response)
  }

  /** Serves a WebSocket upgrade; {@link wantsWebSocket} has let it through. */
  readonly upgrade = (request: IncomingMessage, socket: Socket, bytes: Buffer): void => {
    // Errors of a client's socket are seen as its close.
    socket.on('error', () => {})
    // Never assigned to the socket: an upgrade's answer is written by the stream engine, or raw.
    const arrival = newArrival(request, new ServerResponse(request), headOf(request), this.parts.view())
    const client = rawClient(arrival, socket)
    try {
      const exchange = this.letIn(arrival)
      if (typeof exchange === 'string') this.refuseRaw(client, exchange)
      else if (this.streamsAreFull(arrival)) this.refuseRaw(client, 'too-many-streams')
      else {
        const parts = this.partsFor(exchange)
        parts.observer.requestBegan(exchange.home)
        void this.asStream(client, forwardUpgrade(exchange, socket, bytes, parts))
      }
    } catch (cause) {
      this.failed(client, cause)
    }
  }

  private letIn(arrival: Arrival): Exchange | Refusal {
    return admit(arrival.request, arrival.head, arrival.view.config) ?? contextOf(arrival)
  }

  private forward(arrival: Arrival, exchange: Exchange, expectsContinue: boolean): void {
    const { head, response, request } = arrival
    const chunked =
      head.transferEncoding !== null ||
      ('stream' in request && head.contentLength === null && !request.stream.endAfterHeaders)
    const hasBody = chunked || (head.contentLength !== null && Number(head.contentLength) > 0)
    if (hasBody && expectsContinue && 'writeContinue' in response) response.writeContinue()
    if (hasBody) void this.takeAndForward(arrival, exchange, chunked)
    else if (head.accept.includes('text/event-stream')) this.streamOn(arrival, exchange, false)
    else {
      forwardReplayable(exchange, noBody, this.partsFor(exchange))
    }
  }

  /** Until its body is in, a request is nobody's load; one that does not come in is refused, or has left. */
  private async takeAndForward(arrival: Arrival, exchange: Exchange, chunked: boolean): Promise<void> {
    const { limits } = arrival.view.config
    const taken = await takeBody(arrival.request, limits.replayBodyBytes, limits.bodyTimeoutMs)
    try {
      if (taken.kind === 'whole') {
        const body = exchange.hideInBody === null ? taken.body : exchange.hideInBody(taken.body)
        if (typeof body === 'string') this.refuse(arrival, body)
        else forwardReplayable(exchange, { bytes: body, chunked }, this.partsFor(exchange))
      } else if (taken.kind === 'long' && exchange.hideInBody !== null) {
        // What can't be looked through whole could hold a number.
        this.refuse(arrival, 'body-too-large')
      } else if (taken.kind === 'long') this.streamOn(arrival, exchange, true)
      else if (taken.kind === 'slow') this.refuse(arrival, 'slow-body')
    } catch (cause) {
      this.failed(httpClient(arrival), cause)
    }
  }

  private streamOn(arrival: Arrival, exchange: Exchange, hasBody: boolean): void {
    if (this.streamsAreFull(arrival)) {
      this.refuse(arrival, 'too-many-streams')
      return
    }
    const parts = this.partsFor(exchange)
    parts.observer.requestBegan(exchange.home)
    void this.asStream(httpClient(arrival), forwardStreaming(exchange, hasBody, parts))
  }

  private partsFor(exchange: Exchange): ForwardParts {
    return this.parts.ways === undefined ? this.parts : this.parts.ways.of(exchange)
  }

  private streamsAreFull({ view }: Arrival): boolean {
    return this.streams >= view.config.limits.streams
  }

  /** Counts `stream` among those open until it has ended. */
  private async asStream(client: Client, stream: Promise<void>): Promise<void> {
    this.streams += 1
    try {
      await stream
    } catch (cause) {
      this.failed(client, cause)
    } finally {
      this.streams -= 1
    }
  }

  /** A fault of our own: told to the operators, and no more than a 500 to the resident. */
  private failed(client: Client, cause: unknown): void {
    this.parts.observer.internalError(cause)
    if (!client.tell('internal')) client.cut()
  }

  private refuseRaw(client: Client, refusal: Refusal): void {
    this.parts.observer.requestRefused(refusal)
    client.tell(refusal)
  }

  private refuse(arrival: Arrival, refusal: Refusal): void {
    this.parts.observer.requestRefused(refusal)
    // What is left of the body is not waited for, and what follows it can't be trusted to be a request.
    const close = arrival.request.httpVersionMajor > 1 ? [] : ['Connection', 'close']
    if (close.length > 0) this.refused.add(arrival.request.socket)
    reply(arrival.response, refusal, audienceOf(arrival), close)
  }
}

/** RFC 6455 section 4.2.1, as far as it decides who is asked; the node checks the rest. */
export const wantsWebSocket = (request: IncomingMessage): boolean =>
  request.method === 'GET' &&
  request.httpVersion === '1.1' &&
  request.headers.upgrade?.toLowerCase() === 'websocket' &&
  request.headers['sec-websocket-key'] !== undefined

function headOf(request: PublicRequest): RequestHead {
  const head = readHead(request.rawHeaders)
  if (request.httpVersionMajor > 1 && 'authority' in request && request.authority !== '') {
    head.host = request.authority
    head.hostCount = 1
  }
  return head
}

const httpClient = (arrival: Arrival): Client => ({
  tell: (reason) => reply(arrival.response, reason, audienceOf(arrival)),
  cut: () => cut(arrival.response),
})

/** An upgrade's client: earlier answers on its socket are out, so that any further byte is this request's. */
function rawClient(arrival: Arrival, socket: Socket): Client {
  const writtenBefore = socket.bytesWritten
  return {
    tell(reason) {
      if (socket.bytesWritten !== writtenBefore || !socket.writable) return false
      socket.end(rawReply(reason, audienceOf(arrival)))
      return true
    },
    cut: () => socket.destroy(),
  }
}

const audienceOf = ({ request, head, traceId }: Arrival) => ({
  method: request.method ?? 'GET',
  accept: head.accept,
  acceptLanguage: head.acceptLanguage,
  requestId: traceId,
})
