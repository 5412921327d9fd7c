// One try at one node: undici's handler, turned into an outcome and an answer that is held until whole.
import type { Dispatcher } from 'undici'
import type { NodeState, Ticket } from '../../control/health/node-state.ts'
import { errorCode } from '../../model/errors.ts'
import type { AttemptKind } from '../../model/events.ts'
import type { Outcome } from '../../model/outcome.ts'
import { outcomeOfStatus } from '../../policy/outcome.ts'
import { retryAfterMs } from '../../policy/retry-after.ts'
import { isBorrowed, type Pick } from '../../policy/selection.ts'
import { definedOnly } from './flat-headers.ts'

/** What an attempt tells the race that it runs in. */
export interface AttemptListener {
  /** Largest answer to hold, bytes. */
  readonly holdAtMost: number
  interim(attempt: Attempt, status: number, headers: Record<string, string | string[]>): void
  /** The answer is too long to hold, or endless by nature. Returns whether it is passed on from here. */
  outgrew(attempt: Attempt): boolean
  /** Only after `outgrew` agreed. Returns false when the client is to be waited for. */
  part(attempt: Attempt, chunk: Buffer): boolean
  /** Called once for every attempt, before anything else is said of its end. */
  ended(attempt: Attempt, outcome: Outcome): void
  /** The answer is whole. */
  whole(attempt: Attempt): void
  failed(attempt: Attempt): void
  /** Something of ours threw while an answer came in; undici took it for the node's. */
  fault(cause: unknown): void
  /** The request itself can't be sent to any node. */
  unsendable(): void
}

type Controller = Dispatcher.DispatchController

/** Answers to requests that somebody else has answered meanwhile are read to the end up to this, else cut. */
const drainAtMost = 65_536

export class Attempt implements Dispatcher.DispatchHandler {
  readonly pick: Pick
  readonly state: NodeState
  readonly kind: AttemptKind
  readonly startedAt: number
  readonly deadline: number
  status = 0
  reason = ''
  rawHeaders: (Buffer | string)[] = []
  chunks: Buffer[] = []
  size = 0
  /** The node may have seen the request. */
  sent = false
  passedOn = false
  outcome: Outcome | null = null
  /** With a 429 or 503, when the node wants to be asked again; `null` where it does not say. */
  private retryAfterMs: number | null = null
  private readonly listener: AttemptListener
  readonly ticket: Ticket
  private controller: Controller | null = null
  private overdueMarks = 0
  /** Nobody waits for the answer; it is only measured. */
  private detached = false

  constructor(
    listener: AttemptListener,
    pick: Pick,
    state: NodeState,
    kind: AttemptKind,
    at: { now: number; deadline: number },
  ) {
    this.listener = listener
    this.pick = pick
    this.state = state
    this.kind = kind
    this.startedAt = at.now
    this.deadline = at.deadline
    this.ticket = state.began(at.now, isBorrowed(pick.level), 'request')
  }

  get over(): boolean {
    return this.outcome !== null
  }

  /**
   * A delay has passed in which it should have been answered.
   * @param atMost So many of its delays count against the node.
   */
  markOverdue(atMost: number): void {
    if (this.overdueMarks >= atMost) return
    this.overdueMarks += 1
    if (this.status === 0) this.state.overdue()
  }

  /** The race is over: the rest of this answer is read for its measure alone. */
  detach(): void {
    this.detached = true
    this.chunks = []
    if (this.status !== 0) this.endQuietly()
  }

  /** Its deadline has passed. */
  expire(): void {
    if (this.over) return
    this.close('timeout')
    if (!this.detached) this.listener.failed(this)
  }

  /** The client left, or its answer can't be used: says nothing about the node. */
  abandon(): void {
    this.close('abandoned')
  }

  resume(): void {
    this.controller?.resume()
  }

  onRequestStart(controller: Controller): void {
    if (this.over) {
      controller.abort(gaveUp)
      return
    }
    this.controller = controller
    this.sent = true
  }

  onResponseStart(
    controller: Controller,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    reason?: string,
  ): void {
    if (this.over) return
    if (status < 200) {
      if (!this.detached) this.listener.interim(this, status, definedOnly(headers))
      return
    }
    if (isCoded(headers['transfer-encoding'])) {
      this.close('protocol')
      if (!this.detached) this.listener.failed(this)
      return
    }
    this.status = status
    this.reason = reason ?? ''
    this.rawHeaders = rawOf(controller)
    if (status === 429 || status === 503) this.retryAfterMs = retryAfterMs(headers['retry-after'])
    this.state.answered(this.ticket, this.outcomeOfAnswer(), performance.now())
    if (this.detached) this.endQuietly()
    else if (mustFlow(headers, this.listener.holdAtMost)) this.passOn()
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.over) return
    this.size += chunk.length
    if (this.detached) {
      if (this.size > drainAtMost) this.close(this.outcomeOfAnswer())
    } else if (this.passedOn) {
      if (!this.listener.part(this, chunk)) controller.pause()
    } else {
      this.chunks.push(chunk)
      if (this.size > this.listener.holdAtMost) this.passOn()
    }
  }

  onResponseEnd(): void {
    if (this.over) return
    this.finish(this.outcomeOfAnswer())
    if (!this.detached) this.listener.whole(this)
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.over) return
    const code = errorCode(error)
    // Nothing that a node did: undici would not write the request at all.
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
      this.finish('abandoned')
      if (!this.detached) this.listener.unsendable()
      return
    }
    // Everything that networks, parsers and undici report has a code.
    if (code === '') this.listener.fault(error)
    this.finish(code === '' ? 'abandoned' : outcomeOfError(code, this.sent))
    if (!this.detached) this.listener.failed(this)
  }

  private passOn(): void {
    this.passedOn = this.listener.outgrew(this)
    if (!this.passedOn) return
    this.state.passedOn(this.ticket)
    const held = this.chunks
    this.chunks = []
    for (const chunk of held) {
      if (!this.listener.part(this, chunk)) this.controller?.pause()
    }
  }

  /** Reads a small rest so that the connection can be kept, else ends it. */
  private endQuietly(): void {
    if (this.size > drainAtMost) this.close(this.outcomeOfAnswer())
  }

  private outcomeOfAnswer(): Outcome {
    return outcomeOfStatus(this.status, this.retryAfterMs !== null)
  }

  private close(outcome: Outcome): void {
    if (this.over) return
    this.finish(outcome)
    this.controller?.abort(gaveUp)
  }

  private finish(outcome: Outcome): void {
    this.outcome = outcome
    this.state.ended(this.ticket, outcome, performance.now(), this.retryAfterMs ?? 0)
    this.listener.ended(this, outcome)
  }
}

const gaveUp = new Error('the gateway let go of this attempt')

/** @param sent Whether undici had a connection and began to write. */
function outcomeOfError(code: string, sent: boolean): Outcome {
  if (!sent) return 'connect-failed'
  if (code === 'UND_ERR_BODY_TIMEOUT') return 'timeout'
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'protocol'
  return code === 'UND_ERR_HEADERS_OVERFLOW' ? 'protocol' : 'reset'
}

/** An event stream never becomes whole, and what declares itself too long is not worth holding. */
function mustFlow(headers: Record<string, string | string[] | undefined>, holdAtMost: number): boolean {
  const type = headers['content-type']
  if (typeof type === 'string' && type.startsWith('text/event-stream')) return true
  const length = headers['content-length']
  return typeof length === 'string' && Number(length) > holdAtMost
}

function rawOf(controller: Controller): (Buffer | string)[] {
  const { rawHeaders } = controller
  return Array.isArray(rawHeaders) ? rawHeaders : []
}

/**
 * Whether a body is compressed for the way, which nobody may ask of us and which we can't undo: passed on without its
 * header it would be garbage (RFC 9112 section 6.1).
 */
export const isCoded = (transferEncoding: string | string[] | undefined): boolean =>
  transferEncoding !== undefined && transferEncoding.toString().toLowerCase() !== 'chunked'
