// By which parts a request is forwarded: the gateway's own, or those of a drill's cohort or of its control.
import type { Config } from '../../../config/schema.ts'
import { CohortObserver, ControlObserver } from '../../control/drills/group-observers.ts'
import type { Rehearsal } from '../../control/drills/rehearsal.ts'
import { Budget } from '../../policy/retry.ts'
import type { Exchange } from '../exchange.ts'
import type { ForwardParts } from '../forward/parts.ts'
import { WaitingRoom } from '../forward/waiting-room.ts'
import { InjectedDispatching } from './injected.ts'
import { StandIn } from './stand-in.ts'

export interface WaysParts {
  readonly forward: ForwardParts
  readonly config: () => Config
  /** Wall-clock milliseconds since 1970, with fractions. */
  readonly wallNow: () => number
}

interface Way {
  readonly rehearsal: Rehearsal
  readonly cohort: ForwardParts
  readonly control: ForwardParts
  readonly room: WaitingRoom
}

/**
 * A cohort has budgets, a queue and joint requests of its own: what it uses up, or waits for, is taken from nobody in
 * the control. Residents' last good answers are one for both, each resident's being only their own.
 */
export class Ways implements Disposable {
  private readonly parts: WaysParts
  private readonly standIn = new StandIn()
  /** `null` while no drill is on: then a request costs one look at it. */
  private byHome: Map<string, Way> | null = null

  constructor(parts: WaysParts) {
    this.parts = parts
  }

  of(exchange: Exchange): ForwardParts {
    if (this.byHome === null) return this.parts.forward
    const way = this.byHome.get(exchange.home.region.code)
    if (way === undefined) return this.parts.forward
    const { rehearsal } = way
    // Without a known resident there is no hash, and a request by chance would be on both sides in turn.
    const takesPart = rehearsal.lease.cohort >= 1 || (exchange.resident && rehearsal.has(exchange.key))
    return takesPart ? way.cohort : way.control
  }

  follow(inForce: readonly Rehearsal[]): void {
    const before = this.byHome
    const next = new Map<string, Way>()
    for (const rehearsal of inForce) {
      const { home } = rehearsal.lease
      const known = before?.get(home)
      next.set(home, known?.rehearsal === rehearsal ? known : this.wayOf(rehearsal))
    }
    this.byHome = next.size === 0 ? null : next
    if (next.size === 0) this.standIn[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    for (const { room } of this.byHome?.values() ?? []) room[Symbol.dispose]()
    this.byHome = null
    this.standIn[Symbol.dispose]()
  }

  private wayOf(rehearsal: Rehearsal): Way {
    const { forward, config, wallNow } = this.parts
    const { attempts, hedging } = config()
    const room = new WaitingRoom({
      settings: () => config().queue,
      mayStretch: (home, now) => rehearsal.board.stretch(home, now),
      now: () => performance.now(),
    })
    const cohort: ForwardParts = {
      ...forward,
      board: rehearsal.board,
      pools: new InjectedDispatching(forward.pools, rehearsal, this.standIn),
      observer: new CohortObserver(forward.observer, rehearsal, wallNow),
      retries: new Budget(attempts.retryBudget, attempts.retryFloorPerSecond),
      hedges: new Budget(hedging.budget, hedging.floorPerSecond),
      room,
      inFlight: new Map(),
    }
    const control = { ...forward, observer: new ControlObserver(forward.observer, rehearsal, wallNow) }
    return { rehearsal, cohort, control, room }
  }
}
