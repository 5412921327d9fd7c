// The tries of one request: which node next, and when; a second one beside a slow one; a wait where all are full.
import { Readable } from 'node:stream'
import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers'
import type { AttemptKind } from '../../model/events.ts'
import type { NodeId } from '../../model/ids.ts'
import type { RouteClass } from '../../model/route-class.ts'
import type { Home } from '../../model/snapshot.ts'
import { stallThreshold } from '../../policy/eligibility.ts'
import { hedgeDelayMs, sharedPatienceMs } from '../../policy/hedging.ts'
import { isSafe } from '../../policy/retry.ts'
import { nextNode, type Pick } from '../../policy/selection.ts'
import { firstNode } from '../../policy/standby.ts'
import type { Exchange } from '../exchange.ts'
import { headersForNode, pathAt } from '../request-headers.ts'
import { Attempt, type AttemptListener } from './attempt.ts'
import type { ForwardParts } from './parts.ts'
import type { Waiter } from './waiting-room.ts'

/** The body to send, whole; `chunked` tells how it came in, and it goes out framed the same way. */
export interface Body {
  readonly bytes: Buffer | null
  readonly chunked: boolean
}

/** Whose tries they are. */
export interface TriesOwner extends AttemptListener {
  /** It needs no more. */
  readonly answered: boolean
  /** Several residents' requests wait for the one answer. */
  readonly isShared: boolean
  /** No place was found in time for a try that was to come, and none is under way. */
  noPlaceFound(): void
}

export class Tries implements Waiter {
  readonly home: Home
  readonly routeClass: RouteClass
  readonly key: number
  readonly canRetry: boolean
  readonly tried: NodeId[] = []
  readonly running: Attempt[] = []
  /** The last try found no place in time, though nodes serve. */
  crowdedOut = false
  private readonly owner: TriesOwner
  private readonly exchange: Exchange
  private readonly parts: ForwardParts
  private readonly body: Body
  private readonly headers: string[]
  private timer: NodeJS.Timeout | undefined
  private hedgeAt = Infinity
  /** A node that broke the connection before it answered: kept connections may do so though the node is well. */
  private broken: NodeId | null = null
  private askedAgain = false
  /** What it wants a place for, while it waits for one. */
  private waitingTo: AttemptKind | null = null

  constructor(owner: TriesOwner, exchange: Exchange, body: Body, parts: ForwardParts) {
    this.owner = owner
    this.exchange = exchange
    this.parts = parts
    this.body = body
    this.home = exchange.home
    this.routeClass = exchange.routeClass.name
    this.key = exchange.key
    this.canRetry = exchange.repeatable
    this.headers = headersForNode(exchange)
  }

  /** Returns false where nothing can be tried, or no place will be found in time. */
  first(): boolean {
    const { startedAt } = this.exchange
    this.parts.retries.deposit(startedAt)
    this.parts.hedges.deposit(startedAt)
    return this.launchOrWait('first', startedAt)
  }

  /**
   * After a failure. Returns false where nothing is left to try, or the deadline or the budget is spent.
   *
   * @param costly Not where the node has done nothing: the budget is against doing work twice.
   */
  another(costly = true): boolean {
    if (this.waitingTo !== null) return true
    if (this.running.some((attempt) => !attempt.over && attempt.status === 0)) return true
    const now = performance.now()
    if (now >= this.totalDeadline()) return false
    if (costly && !this.parts.retries.take(now)) {
      this.parts.observer.budgetSpent('retry')
      return false
    }
    return this.launchOrWait('retry', now)
  }

  proceed(now: number): boolean {
    const kind = this.waitingTo
    if (kind === null || !this.launch(kind, now)) return false
    this.waitingTo = null
    return true
  }

  waitedTooLong(): void {
    if (this.waitingTo === null) return
    this.waitingTo = null
    this.crowdedOut = true
    if (this.running.length === 0) this.owner.noPlaceFound()
  }

  /** One of them has ended. */
  ended(attempt: Attempt): void {
    if (attempt.outcome === 'reset' && attempt.status === 0) this.broken = attempt.pick.node.id
    const at = this.running.indexOf(attempt)
    if (at !== -1) this.running.splice(at, 1)
    if (this.running.length === 0) stopTimer(this.timer)
    this.parts.room.placeFreed(attempt.pick.node.region)
  }

  /** The owner is answered: no more tries; those that are out end by their deadlines. */
  stop(): void {
    if (this.waitingTo !== null) {
      this.waitingTo = null
      this.parts.room.leave(this)
    }
    if (this.running.length === 0) stopTimer(this.timer)
    else this.arm(performance.now())
  }

  private launchOrWait(kind: AttemptKind, now: number): boolean {
    if (this.launch(kind, now)) return true
    const { board, room } = this.parts
    const { view, home } = this.exchange
    if (this.tried.length >= view.config.attempts.maxAttempts || !board.isBusy(home, this.tried)) return false
    this.crowdedOut = !room.enter(this, now)
    if (this.crowdedOut) return false
    this.waitingTo = kind
    this.arm(now)
    return true
  }

  private launch(kind: AttemptKind, now: number): boolean {
    const { view, home, method, path } = this.exchange
    const { board, pools, observer } = this.parts
    if (this.tried.length >= view.config.attempts.maxAttempts) return false
    const { selection, standby } = view.config
    const pick =
      standby.warmShare > 0 && kind === 'first' && this.canRetry
        ? firstNode(home, board, this, selection, { share: standby.warmShare, draw: Math.random() })
        : (nextNode(home, board, this, selection) ?? this.pickAgain())
    const state = pick === null ? undefined : board.state(pick.node)
    if (pick === null || state === undefined) return false
    this.tried.push(pick.node.id)
    const deadline = Math.min(now + view.config.attempts.attemptTimeoutMs, this.totalDeadline())
    const attempt = new Attempt(this.owner, pick, state, kind, { now, deadline })
    this.running.push(attempt)
    observer.attemptStarted(pick.node, kind)
    this.hedgeAt = now + hedgeDelayMs(state.latency.p99(now), state.latency.samples, view.config.hedging)
    this.arm(now)
    const { bytes, chunked } = this.body
    const body = chunked && bytes !== null ? inChunks(bytes) : bytes
    pools.dispatch(pick.node, { path: pathAt(pick.node, path), method, headers: this.headers, body }, attempt)
    return true
  }

  /** With no other node left, one whose connection broke may have closed it just as we wrote (RFC 9112 section 9.3.1). */
  private pickAgain(): Pick | null {
    const { broken, key, canRetry } = this
    if (broken === null || this.askedAgain || !canRetry) return null
    this.askedAgain = true
    const tried = this.tried.filter((id) => id !== broken)
    return nextNode(
      this.home,
      this.parts.board,
      { key, canRetry, tried },
      this.exchange.view.config.selection,
    )
  }

  private totalDeadline(): number {
    return this.exchange.startedAt + this.exchange.view.config.attempts.totalTimeoutMs
  }

  private arm(now: number): void {
    stopTimer(this.timer)
    let wakeAt = this.owner.answered ? Infinity : this.hedgeAt
    if (this.waitingTo !== null) wakeAt = Math.min(wakeAt, this.totalDeadline())
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
    if (this.waitingTo !== null && now >= this.totalDeadline()) {
      this.parts.room.leave(this)
      this.waitedTooLong()
    }
    if (!this.owner.answered && now >= this.hedgeAt) this.hedge(now)
    this.arm(now)
  }

  private hedge(now: number): void {
    const { view } = this.exchange
    this.hedgeAt = Infinity
    const slowest = this.running[this.running.length - 1]
    if (slowest === undefined || slowest.passedOn) return
    const { isShared } = this.owner
    slowest.markOverdue(isShared ? stallThreshold : 1)
    // A write that lost the race could come to its node after a later one and undo it.
    if (!isSafe(this.exchange.method) || !view.config.hedging.enabled) return
    const { hedges, retries, observer, room, protection } = this.parts
    const { latency } = slowest.state
    // A silent node is not slow but gone: leaving it is failing over, which the retry budget pays for.
    const gone = slowest.state.silentOverdue >= stallThreshold
    // In a crowd everything is slow, and a second try takes somebody's place. It passes; the wait must not outlast it.
    if (!gone && (protection.level >= 1 || room.overload(this.home, now) > 0)) {
      this.hedgeAt = now + view.config.hedging.maxDelayMs
      return
    }
    if (isShared && !gone) {
      this.hedgeAt = now + sharedPatienceMs(latency.p99(now), latency.samples, view.config.hedging)
      return
    }
    if (hedges.take(now) || (gone && retries.take(now))) {
      this.launch('hedge', now)
      return
    }
    observer.budgetSpent('hedge')
    this.hedgeAt = now + view.config.hedging.maxDelayMs
  }
}

/** A stream has no length known beforehand, so undici sends it chunked, as it came in. */
const inChunks = (body: Buffer): Readable => Readable.from([body], { objectMode: true })
