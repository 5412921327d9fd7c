// One try of a stream over a connection that stands: the engine's events, turned into how the try ended.
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { NodeState, Ticket } from '../../control/health/node-state.ts'
import type { Refusal, RequestOutcome } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import { outcomeOfStatus } from '../../policy/outcome.ts'
import type { Pick } from '../../policy/selection.ts'
import { type AnswerHeaders, headersForResident, interimForResident } from '../answer-headers.ts'
import type { Exchange } from '../exchange.ts'
import { cut, type PublicRequest, type PublicResponse, sendHead, sendInterim } from '../http.ts'
import { pathAt } from '../request-headers.ts'
import { declaredLength } from './answer-head.ts'
import { isCoded } from './attempt.ts'
import { collect } from './flat-headers.ts'
import { stream, type StreamHooks, streamUpgrade } from './stream-proxy.ts'
import { StreamWatch } from './stream-watch.ts'

export interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
}

/** The stream that is tried, as far as one try cares. */
export interface StreamJob {
  readonly exchange: Exchange
  readonly hasBody: boolean
  readonly upgrade: Upgrade | null
  /** What every node is told; a flat list. */
  readonly headers: readonly string[]
  /** Nodes tried so far, this one included. */
  readonly tries: number
  readonly clientLeft: boolean
  /** It may be sent to another node although this one may have seen it. */
  readonly movable: boolean
  /** Answers the client itself, for what it did wrong. */
  refuse(refusal: Refusal): void
  /** Answers the client of an upgrade that failed, before the engine ends its socket. */
  upgradeFailed(outcome: Outcome): void
  /** Whether it can and may be tried at another node though this one has not failed. Takes the retry that this costs. */
  takeMove(): boolean
  /** A fault of our own after the try has ended; one before ends the try. */
  fault(cause: unknown): void
}

export interface TryEnd {
  /** What it says of the node. */
  readonly node: Outcome
  /** How the request ended, or `null` where it may still be answered. */
  readonly request: RequestOutcome | null
  /** Another node may be tried. */
  readonly movable: boolean
  /** The retry that this costs has been taken. */
  readonly paid: boolean
}

export class StreamAttempt implements StreamHooks {
  readonly connection: Socket
  readonly path: string
  private readonly job: StreamJob
  private readonly pick: Pick
  private readonly state: NodeState
  private readonly client: PublicResponse | Socket
  private readonly watch: StreamWatch
  private readonly ticket: Ticket
  private readonly end = Promise.withResolvers<TryEnd>()
  private over = false
  /** Status of the answer, 0 before it. */
  private status = 0
  /** The node broke off its answer. */
  private broke = false
  private paid = false

  constructor(job: StreamJob, at: { pick: Pick; state: NodeState; ticket: Ticket }, connection: Socket) {
    const { pick, state, ticket } = at
    const { exchange, hasBody, upgrade } = job
    this.job = job
    this.pick = pick
    this.state = state
    this.ticket = ticket
    this.connection = connection
    this.path = pathAt(pick.node, exchange.path)
    this.client = upgrade?.socket ?? exchange.response
    this.watch = new StreamWatch(connection, exchange.request, exchange.view.config, hasBody, () =>
      this.guard(() => this.silent()),
    )
  }

  /** Rejects with a fault of our own. */
  run(): Promise<TryEnd> {
    this.connection.once('close', () => this.guard(() => this.connectionClosed()))
    this.client.once('close', () => this.guard(() => this.clientClosed()))
    // Taken in by then: an upload becomes work for the node.
    if (this.job.hasBody) this.job.exchange.request.once('end', () => this.uploaded())
    this.guard(() => this.begin())
    return this.end.promise
  }

  /** An exception in an event would end the process; so it ends this stream. */
  guard(task: () => void): void {
    try {
      task()
    } catch (cause) {
      if (this.over) this.job.fault(cause)
      else {
        this.letGo()
        this.end.reject(cause)
      }
    }
  }

  interim(status: number, headers: Record<string, string | string[]>): void {
    const { exchange } = this.job
    const shown = interimForResident(headers, exchange, this.pick.node)
    sendInterim(exchange.response, Number(exchange.request.httpVersion), status, shown)
  }

  answered(answer: IncomingMessage): void {
    if (isCoded(answer.headers['transfer-encoding'])) {
      answer.destroy()
      this.nodeFailed('protocol')
      return
    }
    this.noteAnswer(answer.statusCode ?? 502)
    const { response } = this.job.exchange
    const { headers, contentLength } = this.headersOf(answer)
    const { exchange } = this.job
    const length = declaredLength(exchange.method, this.status, null, contentLength)
    if (length !== null) headers.push('Content-Length', length)
    try {
      sendHead(response, this.status, answer.statusMessage ?? '', headers)
    } catch {
      // A header that can't be sent on: the answer is dropped, and so is the connection under it.
      this.breakOff(answer)
      return
    }
    answer.on('error', () => this.breakOff(answer))
    answer.pipe(response)
  }

  upgradeAnswered(answer: IncomingMessage): void {
    if (answer.statusCode === 101 && answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      // Another protocol than the one that was asked for: to call it a WebSocket would be to lie to the client.
      this.nodeFailed('protocol')
      return
    }
    try {
      this.replaceHeaders(answer)
    } catch (cause) {
      // The engine is about to send the node's own headers on, whatever becomes of us.
      this.job.upgrade?.socket.destroy()
      throw cause
    }
  }

  private replaceHeaders(answer: IncomingMessage): void {
    this.noteAnswer(answer.statusCode ?? 101)
    const { headers, contentLength } = this.headersOf(answer)
    if (this.status === 101) headers.push('connection', 'Upgrade', 'upgrade', 'websocket')
    else if (contentLength !== null && this.status !== 204) headers.push('content-length', contentLength)
    else if (answer.headers['transfer-encoding'] !== undefined) headers.push('transfer-encoding', 'chunked')
    answer.headers = collect(headers)
  }

  private uploaded(): void {
    if (!this.over && this.status === 0) this.state.workBegan(this.ticket)
  }

  /** The node may be frozen, or the stream only begins late: tried elsewhere where that is possible, else waited for. */
  private silent(): void {
    this.state.overdue()
    this.paid = this.job.takeMove()
    // Ended by way of the engine, whose word of it must not come when the next try listens.
    if (this.paid) this.connection.destroy(new Error('the node is silent'))
    else this.state.passedOn(this.ticket)
  }

  failed(): void {
    if (this.status !== 0 || this.over) return
    const { job, watch } = this
    if (watch.clientSlow) {
      job.refuse(watch.tooLong ? 'body-too-large' : 'slow-body')
      this.finish('abandoned', 'refused')
    } else if (job.clientLeft) this.finish('abandoned', 'client-left')
    else if (this.paid) this.finish('abandoned', null)
    else this.nodeFailed(watch.timedOut ? 'timeout' : 'reset')
  }

  private nodeFailed(outcome: Outcome): void {
    if (this.job.upgrade !== null) this.job.upgradeFailed(outcome)
    this.finish(outcome, this.job.upgrade === null ? null : 'unavailable')
  }

  private noteAnswer(status: number): void {
    this.status = status
    this.watch.answered()
    this.state.answered(this.ticket, outcomeOfStatus(status, false), performance.now())
    this.state.passedOn(this.ticket)
  }

  private breakOff(answer: IncomingMessage): void {
    if (!this.job.clientLeft) this.broke = true
    answer.destroy()
    cut(this.job.exchange.response)
  }

  private connectionClosed(): void {
    // A client that does not close its side would keep a WebSocket half open for ever.
    if (this.status !== 0) this.job.upgrade?.socket.destroySoon()
    // Not every end of a connection is an error to the engine, such as a 101 that nobody asked for.
    else this.failed()
  }

  private clientClosed(): void {
    const { exchange, upgrade } = this.job
    if (this.status === 0) {
      this.finish('abandoned', 'client-left')
      return
    }
    const outcome = outcomeOfStatus(this.status, false)
    const whole = upgrade !== null || exchange.response.writableFinished
    // First: over HTTP/2 an answer that was cut counts as finished too.
    if (this.broke) this.finish('reset', 'cut')
    else if (whole) this.finish(outcome, outcome === 'answered' ? 'ok' : 'upstream-error')
    else this.finish(outcome, 'client-left')
  }

  private finish(node: Outcome, request: RequestOutcome | null): void {
    if (this.over) return
    this.letGo()
    const movable = request === null && this.job.movable
    this.end.resolve({ node, request, movable, paid: this.paid })
  }

  private letGo(): void {
    this.over = true
    this.watch.stop()
    this.connection.destroy()
  }

  private begin(): void {
    const { exchange, upgrade } = this.job
    const { request, response } = exchange
    this.putHeaders()
    if (upgrade !== null && isHttp1(request)) streamUpgrade(request, upgrade.socket, upgrade.head, this)
    else stream(...asNodeHttp(request, response), this)
  }

  /** Puts on the request what the node shall see; the engine sends `headers` as they stand. */
  private putHeaders(): void {
    const { exchange, hasBody, headers, upgrade } = this.job
    const flat = headers.slice()
    if (exchange.publicHost === '') flat.push('Host', this.pick.node.authority)
    const { contentLength } = exchange.head
    if (upgrade !== null) flat.push('connection', 'Upgrade', 'upgrade', 'websocket')
    else if (contentLength !== null) flat.push('content-length', contentLength)
    else if (hasBody) flat.push('transfer-encoding', 'chunked')
    Object.defineProperty(exchange.request, 'headers', {
      value: collect(flat),
      configurable: true,
      writable: true,
    })
  }

  private headersOf(answer: IncomingMessage): AnswerHeaders {
    const { node, level } = this.pick
    return headersForResident(answer.rawHeaders, this.job.exchange, { node, level, attempts: this.job.tries })
  }
}

const isHttp1 = (request: PublicRequest): request is IncomingMessage => request instanceof IncomingMessage

/**
 * The engine's types know HTTP/1.1 only. Node's HTTP/2 compatibility classes have the members that it uses, which a
 * test of event streams and uploads over HTTP/2 holds it to.
 */
function asNodeHttp(request: PublicRequest, response: PublicResponse): [IncomingMessage, ServerResponse] {
  const pair: unknown[] = [request, response]
  if (isNodePair(pair)) return pair
  throw new TypeError('neither an HTTP/1.1 nor an HTTP/2 exchange')
}

const isNodePair = (pair: unknown[]): pair is [IncomingMessage, ServerResponse] =>
  pair.every(
    (part) => part instanceof IncomingMessage || part instanceof ServerResponse || isCompatible(part),
  )

const isCompatible = (part: unknown): boolean => typeof part === 'object' && part !== null && 'stream' in part
