// The data plane's front: takes each request through the stages, one after the other, and never throws at the server.
// A plain request listener; it mounts in Express as it is.
import type { Socket } from 'node:net'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from '../model/events.ts'
import { takeBody } from './body.ts'
import { type Reason, rawReply, reply } from './error-reply.ts'
import type { Exchange } from './exchange.ts'
import { type ForwardParts, forwardReplayable } from './forward/replayable.ts'
import { forwardStreaming, forwardUpgrade } from './forward/streaming.ts'
import type { PublicRequest, PublicResponse } from './http.ts'
import { readHead, type RequestHead } from './request-head.ts'
import { admit } from './stages/admit.ts'
import { type Arrival, contextOf, newArrival } from './stages/context.ts'
import type { View } from './view.ts'

export interface EdgeParts extends ForwardParts {
  /** The view in force; read once a request. */
  view(): View
}

export class Edge {
  private readonly parts: EdgeParts
  private streams = 0

  constructor(parts: EdgeParts) {
    this.parts = parts
  }

  /** Serves one request. `expectsContinue` where the client waits for a 100 before it sends the body. */
  readonly handle = (request: PublicRequest, response: PublicResponse, expectsContinue = false): void => {
    const head = headOf(request)
    const arrival = newArrival(request, response, head, this.parts.view())
    const refusal = admit(request, head, arrival.view.config)
    if (refusal !== null) {
      this.refuse(arrival, refusal)
      return
    }
    const exchange = contextOf(arrival)
    if (typeof exchange === 'string') this.refuse(arrival, exchange)
    else this.forward(arrival, exchange, expectsContinue)
  }

  /** The same as Express middleware or as a `node:http` request listener of somebody else's server. */
  readonly middleware = (request: IncomingMessage, response: ServerResponse): void =>
    this.handle(request, response)

  /** Serves a WebSocket upgrade; anything else that asks to upgrade is refused by {@link wantsWebSocket} before. */
  readonly upgrade = (request: IncomingMessage, socket: Socket, bytes: Buffer): void => {
    // Errors of a client's socket are seen as its close.
    socket.on('error', () => {})
    const head = headOf(request)
    const view = this.parts.view()
    // Never assigned to the socket: an upgrade's answer is written by the stream engine, or raw.
    const arrival = newArrival(request, new ServerResponse(request), head, view)
    const exchange = admit(request, head, view.config) ?? contextOf(arrival)
    if (typeof exchange === 'string') {
      this.parts.observer.requestRefused(exchange)
      socket.end(rawReply(exchange, audienceOf(arrival)))
      return
    }
    void this.asStream(
      arrival,
      () => forwardUpgrade(exchange, socket, bytes, this.parts),
      (reason) => {
        socket.end(rawReply(reason, audienceOf(arrival)))
      },
    )
  }

  private forward(arrival: Arrival, exchange: Exchange, expectsContinue: boolean): void {
    const { head, response, request, view } = arrival
    const chunked =
      head.transferEncoding !== null ||
      (request.httpVersionMajor > 1 && head.contentLength === null && !request.complete)
    const length = head.contentLength === null ? 0 : Number(head.contentLength)
    if (!chunked && length === 0) {
      if (head.accept.includes('text/event-stream')) this.streamOn(arrival, exchange, false)
      else forwardReplayable(exchange, null, false, this.parts)
      return
    }
    if (expectsContinue && 'writeContinue' in response) response.writeContinue()
    if (length > view.config.limits.replayBodyBytes) this.streamOn(arrival, exchange, true)
    else void this.takeAndForward(arrival, exchange, chunked)
  }

  private async takeAndForward(arrival: Arrival, exchange: Exchange, chunked: boolean): Promise<void> {
    const { limits } = arrival.view.config
    const taken = await takeBody(arrival.request, limits.replayBodyBytes, limits.bodyTimeoutMs)
    if (taken.kind === 'whole') forwardReplayable(exchange, taken.body, chunked, this.parts)
    else if (taken.kind === 'long') this.streamOn(arrival, exchange, true)
    else if (taken.kind === 'slow') this.refuse(arrival, 'slow-body')
    else
      this.parts.observer.requestEnded(
        exchange.home,
        null,
        'client-left',
        performance.now() - arrival.startedAt,
      )
  }

  private streamOn(arrival: Arrival, exchange: Exchange, hasBody: boolean): void {
    void this.asStream(
      arrival,
      () => forwardStreaming(exchange, hasBody, this.parts),
      () => {
        this.refuse(arrival, 'too-many-streams')
      },
    )
  }

  /** Runs `open` within the bound on streams. */
  private async asStream(
    arrival: Arrival,
    open: () => Promise<void>,
    full: (reason: Reason) => void,
  ): Promise<void> {
    if (this.streams >= arrival.view.config.limits.streams) {
      full('too-many-streams')
      return
    }
    this.streams += 1
    try {
      await open()
    } finally {
      this.streams -= 1
    }
  }

  private refuse(arrival: Arrival, refusal: Refusal): void {
    this.parts.observer.requestRefused(refusal)
    // What is left of the body is not waited for, and what follows it can't be trusted to be a request.
    const close = arrival.request.httpVersionMajor > 1 ? [] : ['Connection', 'close']
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

const audienceOf = ({ request, head, traceId }: Arrival) => ({
  method: request.method ?? 'GET',
  accept: head.accept,
  acceptLanguage: head.acceptLanguage,
  requestId: traceId,
})
