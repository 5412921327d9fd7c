// Everything that can't be sent again: long uploads, event streams, WebSocket upgrades.
// A node is changed while nothing was sent, or while a safe request without a body has no answer.
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { NodeState, Ticket } from '../../control/health/board.ts'
import type { Refusal, RequestOutcome } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { Outcome } from '../../model/outcome.ts'
import { isSafe } from '../../policy/retry.ts'
import { blameOf, outcomeOfStatus } from '../../policy/outcome.ts'
import { nextNode, type Pick } from '../../policy/selection.ts'
import { headersForResident } from '../answer-headers.ts'
import { rawReply, type Reason, reply } from '../error-reply.ts'
import type { Exchange } from '../exchange.ts'
import { cut, type PublicRequest, type PublicResponse, sendHead, sendInterim } from '../http.ts'
import { headersForNode, pathAt } from '../request-headers.ts'
import { connectTo } from './connect.ts'
import type { ForwardParts } from './replayable.ts'
import { stream, streamUpgrade } from './stream-proxy.ts'
import { StreamWatch } from './stream-watch.ts'

/** Sends a request that has a body, or an event stream's. Resolves when the stream has ended. */
export async function forwardStreaming(
  exchange: Exchange,
  hasBody: boolean,
  parts: ForwardParts,
): Promise<void> {
  await new Stream(exchange, hasBody, parts, null).run()
}

/** Sends a WebSocket upgrade. Resolves when the WebSocket has ended. */
export async function forwardUpgrade(
  exchange: Exchange,
  socket: Socket,
  head: Buffer,
  parts: ForwardParts,
): Promise<void> {
  await new Stream(exchange, false, parts, { socket, head }).run()
}

interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
}

/** How one node's try ended: with the stream's end, or with a failure that may lead to another node. */
type Ended = { readonly outcome: RequestOutcome } | { readonly failed: Outcome; readonly movable: boolean }

class Stream {
  readonly key: number
  readonly canRetry = false
  readonly tried: NodeId[] = []
  private readonly exchange: Exchange
  private readonly hasBody: boolean
  private readonly parts: ForwardParts
  private readonly upgrade: Upgrade | null
  private readonly flat: readonly string[]
  private clientLeft = false
  /** The node broke off its answer. */
  private broke = false

  constructor(exchange: Exchange, hasBody: boolean, parts: ForwardParts, upgrade: Upgrade | null) {
    this.exchange = exchange
    this.hasBody = hasBody
    this.parts = parts
    this.upgrade = upgrade
    this.key = exchange.key
    this.flat = headersForNode(exchange)
  }

  async run(): Promise<void> {
    const { observer } = this.parts
    const client = this.upgrade?.socket ?? this.exchange.response
    client.once('close', () => (this.clientLeft = true))
    // Each try listens to both, and there are more tries than Node expects listeners.
    client.setMaxListeners(0)
    this.exchange.request.setMaxListeners(0)
    observer.streamOpened()
    let pick: Pick | null = null
    let outcome: RequestOutcome | null = null
    let last: Outcome | null = null
    while (outcome === null && !this.clientLeft) {
      pick = this.nextPick()
      if (pick === null) break
      const ended = await this.tryNode(pick)
      if ('outcome' in ended) outcome = ended.outcome
      else {
        last = ended.failed
        if (!ended.movable) break
      }
    }
    if (outcome === null) {
      outcome = this.clientLeft ? 'client-left' : 'unavailable'
      if (!this.clientLeft) this.answerProblem(reasonAfter(last, this.hasBody))
    }
    observer.streamClosed()
    observer.requestEnded(
      this.exchange.home,
      pick?.level ?? null,
      outcome,
      performance.now() - this.exchange.startedAt,
    )
  }

  private nextPick(): Pick | null {
    const { view, home } = this.exchange
    if (this.tried.length >= view.config.attempts.maxAttempts) return null
    const pick = nextNode(home, this.parts.board, this, view.config.selection)
    if (pick !== null) this.tried.push(pick.node.id)
    return pick
  }

  private async tryNode(pick: Pick): Promise<Ended> {
    const { observer, board } = this.parts
    const state = board.state(pick.node)
    if (state === undefined) return { failed: 'abandoned', movable: true }
    const ticket = state.began()
    observer.attemptStarted(pick.node, this.tried.length === 1 ? 'first' : 'retry')
    try {
      const connection = await connectTo(pick.node, this.exchange.view.config.attempts.connectTimeoutMs)
      if (!this.clientLeft) return await this.overConnection(connection, pick, state, ticket)
      connection.destroy()
      this.settle(pick, state, ticket, 'abandoned')
      return { outcome: 'client-left' }
    } catch {
      // Whatever kept us from connecting, nothing was sent; the node is blamed and the next one tried.
      this.settle(pick, state, ticket, 'connect-failed')
      return { failed: 'connect-failed', movable: true }
    }
  }

  private overConnection(connection: Socket, pick: Pick, state: NodeState, ticket: Ticket): Promise<Ended> {
    return new Promise((resolve) => {
      const { exchange, upgrade } = this
      const { request, response } = exchange
      const startedAt = performance.now()
      let began = false
      let verdict: Outcome | null = null
      const watch = new StreamWatch(connection, request, exchange.view.config, this.hasBody)
      const end = (ended: Ended, outcome: Outcome): void => {
        if (verdict !== null) return
        verdict = outcome
        watch.stop()
        connection.destroy()
        this.settle(pick, state, ticket, outcome)
        resolve(ended)
      }
      const noteAnswer = (status: number): void => {
        began = true
        watch.answered()
        const now = performance.now()
        state.answered(now - startedAt, now)
        const outcome = outcomeOfStatus(status)
        const client = upgrade?.socket ?? response
        client.once('close', () => {
          const whole = upgrade !== null || response.writableFinished
          if (whole) end({ outcome: blameOf(outcome) === 'failure' ? 'upstream-error' : 'ok' }, outcome)
          else if (this.broke) end({ outcome: 'cut' }, 'reset')
          else end({ outcome: 'client-left' }, outcome)
        })
      }
      const hooks = {
        connection,
        path: pathAt(pick.node, exchange.path),
        interim: (status: number, headers: Record<string, string | string[]>): void =>
          sendInterim(response, Number(request.httpVersion), status, headers),
        answered: (answer: IncomingMessage): void => {
          noteAnswer(answer.statusCode ?? 502)
          this.passOn(answer, pick)
        },
        upgradeAnswered: (answer: IncomingMessage): void => {
          noteAnswer(answer.statusCode ?? 101)
          this.cleanUpgradeAnswer(answer, pick)
        },
        failed: (_cause: Error): void => {
          if (began || verdict !== null) return
          const outcome =
            this.clientLeft || watch.clientSlow ? 'abandoned' : watch.timedOut ? 'timeout' : 'reset'
          if (watch.clientSlow) this.refuse(watch.tooLong ? 'body-too-large' : 'slow-body')
          const movable = !this.hasBody && upgrade === null && isSafe(exchange.method) && !this.clientLeft
          end(watch.clientSlow ? { outcome: 'refused' } : { failed: outcome, movable }, outcome)
        },
      }
      connection.once('close', () => {
        // A client that does not close its side would keep a WebSocket half open for ever.
        if (began) upgrade?.socket.destroySoon()
        // Not every end of a connection is an error to the engine, such as a 101 that nobody asked for.
        else hooks.failed(new Error('the node closed the connection'))
      })
      const client = upgrade?.socket ?? response
      client.once('close', () => {
        if (!began) end({ outcome: 'client-left' }, 'abandoned')
      })
      this.prepare(pick)
      if (upgrade !== null && isHttp1(request)) streamUpgrade(request, upgrade.socket, upgrade.head, hooks)
      else stream(...asNodeHttp(request, response), hooks)
    })
  }

  private settle(pick: Pick, state: NodeState, ticket: Ticket, outcome: Outcome): void {
    state.ended(ticket, outcome, performance.now())
    this.parts.observer.attemptEnded(pick.node, outcome)
  }

  /** Puts on the request what the node shall see; the engine sends `headers` as they stand. */
  private prepare(pick: Pick): void {
    const { exchange, upgrade } = this
    const flat = this.flat.slice()
    if (exchange.publicHost === '') flat.push('Host', pick.node.authority)
    const { contentLength } = exchange.head
    if (upgrade !== null) flat.push('connection', 'Upgrade', 'upgrade', 'websocket')
    else if (contentLength !== null) flat.push('content-length', contentLength)
    else if (this.hasBody) flat.push('transfer-encoding', 'chunked')
    Object.defineProperty(exchange.request, 'headers', {
      value: collect(flat),
      configurable: true,
      writable: true,
    })
  }

  private passOn(answer: IncomingMessage, pick: Pick): void {
    const { exchange } = this
    const { response } = exchange
    const { headers, contentLength } = headersForResident(answer.rawHeaders, exchange, this.from(pick))
    if (contentLength !== null) headers.push('Content-Length', contentLength)
    try {
      sendHead(response, answer.statusCode ?? 502, answer.statusMessage ?? '', headers)
    } catch {
      // A header that can't be sent on: the answer is dropped, and so is the connection under it.
      answer.destroy()
      cut(response)
      return
    }
    answer.on('error', () => {
      if (!this.clientLeft) this.broke = true
      cut(response)
    })
    answer.pipe(response)
  }

  private cleanUpgradeAnswer(answer: IncomingMessage, pick: Pick): void {
    const { headers, contentLength } = headersForResident(answer.rawHeaders, this.exchange, this.from(pick))
    if (answer.statusCode === 101) headers.push('connection', 'Upgrade', 'upgrade', 'websocket')
    else if (contentLength !== null) headers.push('content-length', contentLength)
    else if (answer.headers['transfer-encoding'] !== undefined) headers.push('transfer-encoding', 'chunked')
    answer.headers = collect(headers)
  }

  private from(pick: Pick): { node: Pick['node']; level: Pick['level']; attempts: number } {
    return { node: pick.node, level: pick.level, attempts: this.tried.length }
  }

  private refuse(refusal: Refusal): void {
    this.parts.observer.requestRefused(refusal)
    this.answerProblem(refusal)
  }

  private answerProblem(reason: Reason): void {
    const { response, method, head, requestId } = this.exchange
    const audience = { method, accept: head.accept, acceptLanguage: head.acceptLanguage, requestId }
    if (this.upgrade !== null) this.upgrade.socket.end(rawReply(reason, audience))
    else reply(response, reason, audience, ['Connection', 'close'])
  }
}

function reasonAfter(last: Outcome | null, hasBody: boolean): Reason {
  if (last === null || last === 'connect-failed' || !hasBody) return 'unavailable'
  return last === 'timeout' ? 'upstream-timeout' : 'upstream-failed'
}

/** A flat list as the object that Node's client takes, repeats as lists. */
function collect(flat: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const spelt = new Map<string, string>()
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? ''
    const value = flat[i + 1] ?? ''
    const known = spelt.get(name.toLowerCase())
    if (known === undefined) {
      spelt.set(name.toLowerCase(), name)
      headers[name] = value
      continue
    }
    const before = headers[known]
    headers[known] =
      before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return headers
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
