// Everything that can't be sent again: long uploads, event streams, WebSocket upgrades.
// A node is changed while nothing was sent, or while a safe request without a body has no answer.
import type { Socket } from 'node:net'
import type { NodeState, Ticket } from '../../control/health/node-state.ts'
import type { Refusal, RequestOutcome, ShedReason } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { Outcome } from '../../model/outcome.ts'
import { isSafe } from '../../policy/retry.ts'
import { isBorrowed, nextNode, type Pick } from '../../policy/selection.ts'
import { rawReply, reply } from '../error-reply.ts'
import type { Reason } from '../error-texts.ts'
import { audienceOf, type Exchange } from '../exchange.ts'
import { headersForNode } from '../request-headers.ts'
import type { ForwardParts } from './parts.ts'
import { shedReason } from './shed.ts'
import { StreamAttempt, type StreamJob, type TryEnd, type Upgrade } from './stream-attempt.ts'

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

interface StreamEnd {
  readonly pick: Pick | null
  readonly outcome: RequestOutcome
}

/** All tries of one stream. */
class Stream implements StreamJob {
  readonly key: number
  readonly canRetry = false
  readonly tried: NodeId[] = []
  readonly exchange: Exchange
  readonly hasBody: boolean
  readonly upgrade: Upgrade | null
  readonly headers: readonly string[]
  clientLeft = false
  private readonly parts: ForwardParts

  constructor(exchange: Exchange, hasBody: boolean, parts: ForwardParts, upgrade: Upgrade | null) {
    this.exchange = exchange
    this.hasBody = hasBody
    this.parts = parts
    this.upgrade = upgrade
    this.key = exchange.key
    this.headers = headersForNode(exchange)
  }

  get tries(): number {
    return this.tried.length
  }

  get movable(): boolean {
    return !this.hasBody && this.upgrade === null && isSafe(this.exchange.method)
  }

  async run(): Promise<void> {
    const { observer } = this.parts
    const client = this.upgrade?.socket ?? this.exchange.response
    client.once('close', () => (this.clientLeft = true))
    // Each try listens to both, and there are more tries than Node expects listeners.
    client.setMaxListeners(0)
    this.exchange.request.setMaxListeners(0)
    observer.streamOpened()
    // What is counted should a fault of our own end it.
    let end: StreamEnd = { pick: null, outcome: 'unavailable' }
    try {
      end = await this.tryNodes()
    } finally {
      observer.streamClosed()
      const { home, startedAt } = this.exchange
      observer.requestEnded(home, end.pick?.level ?? null, end.outcome, performance.now() - startedAt)
    }
  }

  fault(cause: unknown): void {
    this.parts.observer.internalError(cause)
  }

  refuse(refusal: Refusal): void {
    this.parts.observer.requestRefused(refusal)
    this.answerProblem(refusal)
  }

  private async tryNodes(): Promise<StreamEnd> {
    const shed = shedReason(this.exchange, this.parts)
    if (shed !== null) return this.shed(shed)
    this.parts.retries.deposit(this.exchange.startedAt)
    let last: Outcome | null = null
    let pick = this.nextPick()
    while (pick !== null && !this.clientLeft) {
      const end = await this.tryNode(pick)
      if (end.request !== null) return { pick, outcome: end.request }
      last = end.node
      if (!end.movable || !(end.paid || this.mayRetry())) break
      pick = this.nextPick()
    }
    if (this.clientLeft) return { pick, outcome: 'client-left' }
    if (last === null && this.parts.board.isBusy(this.exchange.home, this.tried)) return this.shed('queue')
    this.answerProblem(reasonAfter(last, this.hasBody))
    return { pick, outcome: 'unavailable' }
  }

  /** Turned away for want of room. Streams don't wait for it: what they would wait with is the client's to keep. */
  private shed(reason: ShedReason): StreamEnd {
    const { home, routeClass } = this.exchange
    this.parts.observer.requestShed(home, routeClass.name, reason)
    this.answerProblem('overloaded')
    return { pick: null, outcome: 'shed' }
  }

  takeMove(): boolean {
    if (!this.movable || this.findPick() === null) return false
    return this.parts.retries.take(performance.now())
  }

  upgradeFailed(outcome: Outcome): void {
    this.answerProblem(outcome === 'timeout' ? 'upstream-timeout' : 'upstream-failed')
  }

  private mayRetry(): boolean {
    if (this.parts.retries.take(performance.now())) return true
    this.parts.observer.budgetSpent('retry')
    return false
  }

  private findPick(): Pick | null {
    const { view, home } = this.exchange
    if (this.tried.length >= view.config.attempts.maxAttempts) return null
    return nextNode(home, this.parts.board, this, view.config.selection)
  }

  private nextPick(): Pick | null {
    const pick = this.findPick()
    if (pick !== null) this.tried.push(pick.node.id)
    return pick
  }

  private async tryNode(pick: Pick): Promise<TryEnd> {
    const { observer, board } = this.parts
    const state = board.state(pick.node)
    // A reload took it away meanwhile.
    if (state === undefined) return { node: 'abandoned', request: null, movable: true, paid: false }
    const use = this.hasBody ? 'upload' : 'stream'
    const ticket = state.began(performance.now(), isBorrowed(pick.level), use)
    // A fault of our own is nothing against the node, but must not leave it with a request too many.
    let outcome: Outcome = 'abandoned'
    try {
      observer.attemptStarted(pick.node, this.tried.length === 1 ? 'first' : 'retry')
      const end = await this.connectAndTry({ pick, state, ticket })
      outcome = end.node
      return end
    } finally {
      state.ended(ticket, outcome, performance.now())
      observer.attemptEnded(pick.node, outcome)
    }
  }

  private async connectAndTry(at: { pick: Pick; state: NodeState; ticket: Ticket }): Promise<TryEnd> {
    let connection: Socket
    try {
      connection = await this.parts.pools.connect(at.pick.node, at)
    } catch {
      // Whatever kept us from connecting, nothing was sent; the node is blamed and the next one tried.
      return { node: 'connect-failed', request: null, movable: true, paid: false }
    }
    if (!this.clientLeft) return new StreamAttempt(this, at, connection).run()
    connection.destroy()
    return { node: 'abandoned', request: 'client-left', movable: false, paid: false }
  }

  private answerProblem(reason: Reason): void {
    const audience = audienceOf(this.exchange)
    if (this.upgrade !== null) this.upgrade.socket.end(rawReply(reason, audience))
    else reply(this.exchange.response, reason, audience, ['Connection', 'close'])
  }
}

function reasonAfter(last: Outcome | null, hasBody: boolean): Reason {
  if (last === null || last === 'connect-failed' || !hasBody) return 'unavailable'
  return last === 'timeout' ? 'upstream-timeout' : 'upstream-failed'
}
