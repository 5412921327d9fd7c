// Puts a drill's fault between the choice of a node and what is sent to it.
import type { Socket } from 'node:net'
import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers'
import type { Dispatcher } from 'undici'
import type { Rehearsal } from '../../control/drills/rehearsal.ts'
import { ShadowState } from '../../control/drills/shadow-state.ts'
import type { Fault } from '../../model/drill.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Attempt } from '../forward/attempt.ts'
import type { Dispatching, StreamPlace } from '../forward/parts.ts'
import type { StandIn } from './stand-in.ts'

/** Sends attempts, unless the fault keeps them. */
export class InjectedDispatching implements Dispatching {
  private readonly to: Dispatching
  private readonly rehearsal: Rehearsal
  private readonly standIn: StandIn

  /** @param standIn Plays a silent or failing node to streams, which open a connection each. */
  constructor(to: Dispatching, rehearsal: Rehearsal, standIn: StandIn) {
    this.to = to
    this.rehearsal = rehearsal
    this.standIn = standIn
  }

  dispatch(node: CodeNode, options: Dispatcher.DispatchOptions, attempt: Attempt): void {
    const { state } = attempt
    const fault = state instanceof ShadowState ? state.fault : null
    if (fault?.kind === 'refuse') {
      setImmediate(() => attempt.onResponseError(new Played(), refused()))
    } else if (fault?.kind === 'blackhole') {
      attempt.onRequestStart(new Played())
    } else if (fault?.kind === 'errors' && Math.random() < fault.share) {
      setImmediate(() => answer(attempt, fault.status))
    } else if (fault?.kind === 'latency') this.delay(node, options, attempt, delayOf(fault))
    else this.send(node, options, attempt)
  }

  async connect(node: CodeNode, at: StreamPlace): Promise<Socket> {
    const { state, ticket } = at
    if (!(state instanceof ShadowState)) return this.to.connect(node, at)
    const { fault } = state
    if (fault?.kind === 'refuse') throw refused()
    if (fault?.kind === 'blackhole') return this.standIn.connect(null)
    if (fault?.kind === 'errors' && Math.random() < fault.share) return this.standIn.connect(fault.status)
    if (fault?.kind === 'latency') await untilOver(delayOf(fault), this.rehearsal)
    state.sends(ticket, 'first', performance.now())
    return this.to.connect(node, at)
  }

  private delay(node: CodeNode, options: Dispatcher.DispatchOptions, attempt: Attempt, ms: number): void {
    const go = (): void => {
      stopTimer(timer)
      ended()
      if (!attempt.over) this.send(node, options, attempt)
    }
    const timer = startTimer(go, ms).unref()
    const ended = this.rehearsal.onFaultEnd(go)
    // To the resident's request the node has it already, and is slow.
    attempt.onRequestStart(
      new Played(() => {
        stopTimer(timer)
        ended()
      }),
    )
  }

  private send(node: CodeNode, options: Dispatcher.DispatchOptions, attempt: Attempt): void {
    const { state, ticket, kind } = attempt
    if (state instanceof ShadowState) state.sends(ticket, kind, performance.now())
    this.to.dispatch(node, options, attempt)
  }
}

function untilOver(ms: number, rehearsal: Rehearsal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stopTimer(timer)
      ended()
      resolve()
    }
    const timer = startTimer(go, ms).unref()
    const ended = rehearsal.onFaultEnd(go)
  })
}

/** Uniform around the fixed part, never below 0, ms. */
const delayOf = ({ ms, jitterMs }: Extract<Fault, { kind: 'latency' }>): number =>
  Math.max(0, ms + jitterMs * (2 * Math.random() - 1))

const refused = (): Error =>
  Object.assign(new Error('a drill refuses the connection'), { code: 'ECONNREFUSED' })

function answer(attempt: Attempt, status: number): void {
  const played = new Played()
  attempt.onRequestStart(played)
  if (played.aborted) return
  attempt.onResponseStart(played, status, {}, 'Drill')
  attempt.onResponseEnd()
}

/** undici's side of a request that undici never sees. */
class Played implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly rawHeaders: string[] = []
  readonly rawTrailers: string[] = []
  private readonly whenAborted: () => void

  constructor(whenAborted: () => void = () => {}) {
    this.whenAborted = whenAborted
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.whenAborted()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }
}
