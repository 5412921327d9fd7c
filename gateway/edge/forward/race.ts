// Requests that can be sent again: tries node after node, hedges slow ones, and answers with the first whole answer.
import { Readable } from 'node:stream'
import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers'
import type { Board } from '../../control/health/board.ts'
import type { AttemptKind, Observer, RequestOutcome } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { Outcome } from '../../model/outcome.ts'
import { hedgeDelayMs } from '../../policy/hedging.ts'
import { stallThreshold } from '../../policy/eligibility.ts'
import { blameOf } from '../../policy/outcome.ts'
import type { Budget } from '../../policy/retry.ts'
import { nextNode } from '../../policy/selection.ts'
import { interimForResident } from '../answer-headers.ts'
import { type Reason, reply } from '../error-reply.ts'
import type { Exchange } from '../exchange.ts'
import { cut, endBody, sendInterim, writeBody } from '../http.ts'
import { headersForNode, pathAt } from '../request-headers.ts'
import { sendAnswerHead } from './answer-head.ts'
import { Attempt, type AttemptListener } from './attempt.ts'
import type { Pools } from './pools.ts'

export interface ForwardParts {
  readonly board: Board
  readonly pools: Pools
  readonly observer: Observer
  readonly retries: Budget
  readonly hedges: Budget
}

/** Sends `exchange` on. `body` is whole; `chunked` tells how it came in, and it goes out framed the same way. */
export function forwardReplayable(
  exchange: Exchange,
  body: Buffer | null,
  chunked: boolean,
  parts: ForwardParts,
): void {
  new Race(exchange, body, chunked, parts).start()
}

/** All tries of one request. Ends when the resident has an answer; tries still out are only measured from then on. */
class Race implements AttemptListener {
  readonly holdAtMost: number
  readonly key: number
  readonly canRetry: boolean
  readonly tried: NodeId[] = []
  private readonly exchange: Exchange
  private readonly parts: ForwardParts
  private readonly body: Buffer | null
  private readonly chunked: boolean
  private readonly headers: string[]
  private readonly running: Attempt[] = []
  /** A whole answer of a status that asks for another node, kept in case that none does better. */
  private fallback: Attempt | null = null
  private lastFailure: Attempt | null = null
  private timer: NodeJS.Timeout | undefined
  private hedgeAt = Infinity
  private answered = false
  private pausedSince: NodeJS.Timeout | undefined

  constructor(exchange: Exchange, body: Buffer | null, chunked: boolean, parts: ForwardParts) {
    this.exchange = exchange
    this.parts = parts
    this.body = body
    this.chunked = chunked
    this.holdAtMost = exchange.view.config.limits.heldResponseBytes
    this.key = exchange.key
    this.canRetry = exchange.repeatable
    this.headers = headersForNode(exchange)
  }

  start(): void {
    const { startedAt, response } = this.exchange
    this.parts.retries.deposit(startedAt)
    this.parts.hedges.deposit(startedAt)
    response.on('close', () => this.clientClosed())
    if (!this.launch('first', startedAt)) this.giveUp()
  }

  interim(attempt: Attempt, status: number, headers: Record<string, string | string[]>): void {
    if (this.answered || this.running[0] !== attempt) return
    const { exchange } = this
    const shown = interimForResident(headers, exchange, attempt.pick.node)
    sendInterim(exchange.response, Number(exchange.request.httpVersion), status, shown)
  }

  outgrew(attempt: Attempt): boolean {
    if (this.answered) return false
    if (this.asksForAnother(attempt) && this.tryAnother('retry')) {
      attempt.abandon()
      return false
    }
    if (!this.sendAnswer(attempt, null)) return false
    this.exchange.response.on('drain', () => this.clientCaughtUp(attempt))
    return true
  }

  part(attempt: Attempt, chunk: Buffer): boolean {
    if (writeBody(this.exchange.response, chunk)) return true
    // A client that reads nothing at all holds a node's answer no longer than a pause in that answer would be borne.
    this.pausedSince ??= startTimer(() => {
      attempt.abandon()
      cut(this.exchange.response)
      this.finished(attempt, 'client-left')
    }, this.exchange.view.config.attempts.idleTimeoutMs)
    return false
  }

  ended(attempt: Attempt, outcome: Outcome): void {
    this.parts.observer.attemptEnded(attempt.pick.node, outcome)
    const at = this.running.indexOf(attempt)
    if (at !== -1) this.running.splice(at, 1)
    if (this.running.length === 0) stopTimer(this.timer)
  }

  whole(attempt: Attempt): void {
    if (attempt.passedOn) {
      endBody(this.exchange.response)
      this.finished(attempt, 'ok')
      return
    }
    if (this.answered) return
    if (this.asksForAnother(attempt)) {
      this.fallback = attempt
      if (this.tryAnother('retry') || this.running.length > 0) return
    }
    this.deliver(attempt)
  }

  failed(attempt: Attempt): void {
    if (attempt.passedOn) {
      cut(this.exchange.response)
      this.finished(attempt, 'cut')
      return
    }
    if (this.answered) return
    this.lastFailure = attempt
    if (this.running.length > 0) return
    if ((this.canRetry || !attempt.sent) && this.tryAnother('retry')) return
    this.giveUp()
  }

  fault(cause: unknown): void {
    this.parts.observer.internalError(cause)
  }

  unsendable(): void {
    if (this.answered) return
    this.refuse('bad-framing', 'refused')
  }

  /** Another node is asked only for what may be repeated; a POST that got a 503 has been seen by the node. */
  private asksForAnother(attempt: Attempt): boolean {
    return this.canRetry && this.exchange.view.retryStatuses.has(attempt.status)
  }

  private tryAnother(kind: AttemptKind): boolean {
    if (this.running.some((attempt) => !attempt.over && attempt.status === 0)) return true
    const now = performance.now()
    if (now >= this.totalDeadline()) return false
    if (!this.parts.retries.take(now)) {
      this.parts.observer.budgetSpent('retry')
      return false
    }
    return this.launch(kind, now)
  }

  private launch(kind: AttemptKind, now: number): boolean {
    const { view, home, method, path } = this.exchange
    const { board, pools, observer } = this.parts
    if (this.tried.length >= view.config.attempts.maxAttempts) return false
    const pick = nextNode(home, board, this, view.config.selection)
    const state = pick === null ? undefined : board.state(pick.node)
    if (pick === null || state === undefined) return false
    this.tried.push(pick.node.id)
    const deadline = Math.min(now + view.config.attempts.attemptTimeoutMs, this.totalDeadline())
    const attempt = new Attempt(this, pick, state, kind, { now, deadline })
    this.running.push(attempt)
    observer.attemptStarted(pick.node, kind)
    this.hedgeAt = now + hedgeDelayMs(state.latency.p99(now), state.latency.samples, view.config.hedging)
    this.arm(now)
    pools.dispatch(
      pick.node,
      {
        path: pathAt(pick.node, path),
        method,
        headers: this.headers,
        body: this.framedBody(),
      },
      attempt,
    )
    return true
  }

  /** A stream has no length known beforehand, so undici sends it chunked, as it came in. */
  private framedBody(): Buffer | Readable | null {
    if (this.body === null) return null
    return this.chunked ? Readable.from([this.body], { objectMode: true }) : this.body
  }

  private totalDeadline(): number {
    return this.exchange.startedAt + this.exchange.view.config.attempts.totalTimeoutMs
  }

  private arm(now: number): void {
    stopTimer(this.timer)
    let wakeAt = this.answered ? Infinity : this.hedgeAt
    for (const attempt of this.running) {
      if (!attempt.passedOn && attempt.deadline < wakeAt) wakeAt = attempt.deadline
    }
    if (wakeAt === Infinity) return
    this.timer = startTimer(() => this.wake(), Math.max(1, Math.ceil(wakeAt - now)))
  }

  private wake(): void {
    const now = performance.now()
    for (const attempt of this.running.slice()) {
      if (attempt.passedOn || attempt.deadline > now) continue
      attempt.expire()
    }
    if (!this.answered && now >= this.hedgeAt) this.hedge(now)
    this.arm(now)
  }

  private hedge(now: number): void {
    const { view } = this.exchange
    this.hedgeAt = Infinity
    const slowest = this.running[this.running.length - 1]
    if (slowest === undefined || slowest.passedOn) return
    slowest.markOverdue()
    if (!this.canRetry || !view.config.hedging.enabled) return
    // A silent node is not slow but gone: leaving it is failing over, which the retry budget pays for.
    const { hedges, retries, observer } = this.parts
    const gone = slowest.state.silentOverdue >= stallThreshold
    if (hedges.take(now) || (gone && retries.take(now))) {
      this.launch('hedge', now)
      return
    }
    observer.budgetSpent('hedge')
    this.hedgeAt = now + view.config.hedging.maxDelayMs
  }

  private deliver(attempt: Attempt): void {
    const [only] = attempt.chunks
    const body = attempt.chunks.length === 1 && only !== undefined ? only : Buffer.concat(attempt.chunks)
    if (!this.sendAnswer(attempt, body)) return
    const { method, response } = this.exchange
    endBody(response, method === 'HEAD' || body.length === 0 ? undefined : body)
    this.finished(attempt, blameOf(attempt.outcome ?? 'answered') === 'failure' ? 'upstream-error' : 'ok')
  }

  /** @param body The whole body, or `null` where it will be passed on in parts. */
  private sendAnswer(attempt: Attempt, body: Buffer | null): boolean {
    if (!sendAnswerHead(this.exchange, attempt, this.tried.length, body)) {
      attempt.abandon()
      if (!this.canRetry || !this.tryAnother('retry')) this.giveUp()
      return false
    }
    this.answered = true
    for (const other of this.running) if (other !== attempt) other.detach()
    return true
  }

  private giveUp(): void {
    if (this.fallback !== null) {
      const { fallback } = this
      this.fallback = null
      this.deliver(fallback)
      return
    }
    const last = this.lastFailure
    if (last === null || !last.sent) this.refuse('unavailable', 'unavailable')
    else if (!this.canRetry)
      this.refuse(last.outcome === 'timeout' ? 'upstream-timeout' : 'upstream-failed', 'unavailable')
    else this.refuse('unavailable', 'unavailable')
  }

  private refuse(reason: Reason, outcome: RequestOutcome): void {
    this.answered = true
    const { response, method, head, requestId } = this.exchange
    reply(response, reason, { method, accept: head.accept, acceptLanguage: head.acceptLanguage, requestId })
    this.finished(null, outcome)
  }

  private finished(attempt: Attempt | null, outcome: RequestOutcome): void {
    const { home, startedAt } = this.exchange
    stopTimer(this.pausedSince)
    this.arm(performance.now())
    this.parts.observer.requestEnded(
      home,
      attempt?.pick.level ?? null,
      outcome,
      performance.now() - startedAt,
    )
  }

  private clientCaughtUp(attempt: Attempt): void {
    stopTimer(this.pausedSince)
    this.pausedSince = undefined
    attempt.resume()
  }

  private clientClosed(): void {
    stopTimer(this.pausedSince)
    const passingOn = this.running.find((attempt) => attempt.passedOn)
    if (this.answered && passingOn === undefined) return
    this.answered = true
    for (const attempt of this.running.slice()) attempt.abandon()
    this.finished(passingOn ?? null, 'client-left')
  }
}
