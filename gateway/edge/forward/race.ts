// The race of a request's tries for its answer: the first whole one wins, a bad one only if there is no better.
import type { RequestOutcome } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import { interimForResident } from '../answer-headers.ts'
import type { Reason } from '../error-texts.ts'
import { misdirected } from '../../policy/outcome.ts'
import type { Exchange } from '../exchange.ts'
import { cut, endBody, type PublicResponse, sendInterim } from '../http.ts'
import { sendAnswerHead } from './answer-head.ts'
import type { Attempt } from './attempt.ts'
import { Audience, endWith } from './audience.ts'
import { isShareable } from './coalescing.ts'
import type { ForwardParts } from './parts.ts'
import { PassingOn } from './passing-on.ts'
import { type Body, Tries, type TriesOwner } from './tries.ts'

/** Ends when the resident has an answer; tries still out are only measured from then on. */
export class Race implements TriesOwner {
  readonly holdAtMost: number
  answered = false
  private readonly exchange: Exchange
  private readonly audience: Audience
  private readonly tries: Tries
  private readonly parts: ForwardParts
  /** What was sent with a body is another question each time, though its head be the same. */
  private readonly usesLastGood: boolean
  /** A whole answer of a status that asks for another node, kept in case that none does better. */
  private fallback: Attempt | null = null
  private lastFailure: Attempt | null = null
  private passingOn: PassingOn | null = null
  private settled = (): void => {}

  constructor(exchange: Exchange, body: Body, parts: ForwardParts) {
    this.exchange = exchange
    this.parts = parts
    this.holdAtMost = exchange.view.config.limits.heldResponseBytes
    this.usesLastGood = exchange.routeClass.lastGood && (body.bytes?.length ?? 0) === 0
    this.audience = new Audience(parts.observer, (last) => this.clientClosed(last))
    this.audience.join(exchange)
    this.tries = new Tries(this, exchange, body, parts)
  }

  get isShared(): boolean {
    return this.audience.isShared
  }

  start(): void {
    if (!this.tries.first()) this.giveUp()
  }

  /** Lets `exchange`, which asks for the same, have this race's answer too. Returns false where it is too late. */
  join(exchange: Exchange): boolean {
    if (this.answered) return false
    this.audience.join(exchange)
    return true
  }

  /** Calls `task` once, when it is known who gets which answer and nobody can join any more. */
  whenSettled(task: () => void): void {
    this.settled = task
  }

  noPlaceFound(): void {
    if (!this.answered) this.giveUp()
  }

  interim(attempt: Attempt, status: number, headers: Record<string, string | string[]>): void {
    if (this.answered || this.tries.running[0] !== attempt) return
    // Who began may have left to others, who came by another version.
    const exchange = this.audience.first ?? this.exchange
    const shown = interimForResident(headers, exchange, attempt.pick.node)
    sendInterim(exchange.response, Number(exchange.request.httpVersion), status, shown)
  }

  outgrew(attempt: Attempt): boolean {
    if (this.answered) return false
    if (this.asksForAnother(attempt) && this.tries.another(attempt.status !== misdirected)) {
      attempt.abandon()
      return false
    }
    if (!this.sendAnswer(attempt, null)) return false
    this.noteForLastGood(attempt, null)
    const { idleTimeoutMs } = this.exchange.view.config.attempts
    this.passingOn = new PassingOn(attempt, this.client, idleTimeoutMs, () => {
      attempt.abandon()
      cut(this.client)
      this.finished(attempt, 'client-left')
    })
    return true
  }

  part(_attempt: Attempt, chunk: Buffer): boolean {
    return this.passingOn?.write(chunk) ?? true
  }

  ended(attempt: Attempt, outcome: Outcome): void {
    this.parts.observer.attemptEnded(attempt.pick.node, outcome)
    this.tries.ended(attempt)
  }

  whole(attempt: Attempt): void {
    if (attempt.passedOn) {
      endBody(this.client)
      this.finished(attempt, attempt.outcome === 'answered' ? 'ok' : 'upstream-error')
      return
    }
    if (this.answered) return
    if (this.asksForAnother(attempt)) {
      this.fallback = attempt
      if (this.tries.another(attempt.status !== misdirected) || this.tries.running.length > 0) return
      this.giveUp()
    } else this.deliver(attempt)
  }

  failed(attempt: Attempt): void {
    if (attempt.passedOn) {
      cut(this.client)
      this.finished(attempt, 'cut')
      return
    }
    if (this.answered) return
    this.lastFailure = attempt
    if (this.tries.running.length > 0) return
    if ((this.tries.canRetry || !attempt.sent) && this.tries.another()) return
    this.giveUp()
  }

  fault(cause: unknown): void {
    this.parts.observer.internalError(cause)
  }

  unsendable(): void {
    if (!this.answered) this.refuse('bad-framing', 'refused')
  }

  /**
   * Another node is asked only for what may be repeated; a POST that got a 503 has been seen by the node. One that got
   * a 421 has not.
   */
  private asksForAnother(attempt: Attempt): boolean {
    if (attempt.status === misdirected) return true
    return this.tries.canRetry && this.exchange.view.retryStatuses.has(attempt.status)
  }

  private get client(): PublicResponse {
    return (this.audience.first ?? this.exchange).response
  }

  private deliver(attempt: Attempt): void {
    const [only] = attempt.chunks
    const body = attempt.chunks.length === 1 && only !== undefined ? only : Buffer.concat(attempt.chunks)
    const first = this.audience.first
    if (first === undefined || !this.sendAnswer(attempt, body)) return
    const outcome = attempt.outcome === 'answered' ? 'ok' : 'upstream-error'
    endWith(first, body)
    this.noteForLastGood(attempt, body)
    if (this.audience.isShared) {
      if (isShareable(attempt.rawHeaders)) {
        this.audience.answerRest(attempt, this.tries.tried.length, body, outcome)
      } else this.dismissRest()
    }
    this.finished(attempt, outcome)
  }

  /** @param body The whole body, or `null` where it will be passed on in parts. */
  private sendAnswer(attempt: Attempt, body: Buffer | null): boolean {
    const { tries } = this
    if (!sendAnswerHead(this.audience.first ?? this.exchange, attempt, tries.tried.length, body)) {
      attempt.abandon()
      if (!tries.canRetry || !tries.another()) this.giveUp()
      return false
    }
    this.settle()
    if (body === null) this.dismissRest()
    for (const other of tries.running) if (other !== attempt) other.detach()
    return true
  }

  private giveUp(): void {
    const { fallback, lastFailure } = this
    const { canRetry, crowdedOut } = this.tries
    this.fallback = null
    // Nodes that are full have not failed: what was good before is for when nobody serves.
    const full = crowdedOut || fallback?.outcome === 'refused'
    if (!full && this.serveLastGood()) return
    // Whom each node sends on to another has been refused by all: that is nothing a resident can act on.
    if (fallback !== null && fallback.status !== misdirected) this.deliver(fallback)
    else if (lastFailure !== null && lastFailure.sent && !canRetry) {
      this.refuse(lastFailure.outcome === 'timeout' ? 'upstream-timeout' : 'upstream-failed', 'unavailable')
    } else if (crowdedOut) {
      this.parts.observer.requestShed(this.exchange.home, this.exchange.routeClass.name, 'queue')
      this.refuse('overloaded', 'shed')
    } else this.refuse('unavailable', 'unavailable')
  }

  private noteForLastGood(attempt: Attempt, body: Buffer | null): void {
    if (this.usesLastGood) this.parts.lastGood.note(this.audience.first ?? this.exchange, attempt, body)
  }

  /** Returns whether everybody who waits has an answer by it. */
  private serveLastGood(): boolean {
    const { lastGood, observer } = this.parts
    if (!this.usesLastGood) return false
    this.audience.answerEach((exchange) => {
      if (!lastGood.serve(exchange)) return false
      observer.lastGoodServed(exchange.home, exchange.routeClass.name)
      return true
    })
    if (this.audience.first !== undefined) return false
    this.settle()
    this.tries.stop()
    return true
  }

  private refuse(reason: Reason, outcome: RequestOutcome): void {
    this.settle()
    this.audience.refuseAll(reason, outcome)
    this.finished(null, outcome)
  }

  /** From here on it is decided who gets what. */
  private settle(): void {
    this.answered = true
    this.settled()
  }

  /** An answer that is one resident's alone, or flows as it comes: the others are served by themselves. */
  private dismissRest(): void {
    for (const exchange of this.audience.dismissRest()) {
      new Race(exchange, noBody, this.parts).start()
    }
  }

  /** Ends the first of the audience; the others have been seen to. */
  private finished(attempt: Attempt | null, outcome: RequestOutcome): void {
    this.passingOn?.stop()
    this.tries.stop()
    const { first } = this.audience
    if (first !== undefined) this.audience.finish(first, attempt?.pick.level ?? null, outcome)
  }

  private clientClosed(last: Exchange): void {
    this.passingOn?.stop()
    const flowing = this.tries.running.find((attempt) => attempt.passedOn)
    this.settle()
    for (const attempt of this.tries.running.slice()) attempt.abandon()
    this.audience.finish(last, flowing?.pick.level ?? null, 'client-left')
    this.tries.stop()
  }
}

export const noBody: Body = { bytes: null, chunked: false }
