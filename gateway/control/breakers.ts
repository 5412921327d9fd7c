// One opossum breaker a node. The breaker measures and keeps time; who may pass is judged in policy/eligibility.
import { EventEmitter } from 'node:events'
import CircuitBreaker from 'opossum'
import type { BreakerState } from '../model/events.ts'

export interface BreakerSettings {
  /** Failed share of the window's answers above which it opens, percent. */
  readonly errorThresholdPercent: number
  /** Answers in the window below which it never opens. */
  readonly volumeThreshold: number
  readonly windowMs: number
  /** Time open until one trial is let through. Above `windowMs`: opossum keeps its window when it closes. */
  readonly resetTimeoutMs: number
  /** Refused connections in a row after which it opens, whatever the window still holds of better times. */
  readonly connectFailures: number
}

/**
 * A breaker fed with outcomes after the fact. Requests do not run inside `fire`: opossum would count a late success of
 * a call begun before the trip as the half-open trial's, and a client's abort as either success or failure.
 */
export interface Breaker extends Disposable {
  readonly state: BreakerState
  /** Counts up with every change of state: an outcome of an attempt begun in an earlier epoch is not recorded. */
  readonly epoch: number
  record(failed: boolean): void
  /** Opens a closed breaker. From there it goes on as after any opening. */
  open(): void
}

const failure = new Error('the node failed an attempt')
const buckets = 10

/** Makes breakers that share one timer for their rolling windows. */
export class BreakerFactory implements Disposable {
  private readonly rotation = new EventEmitter().setMaxListeners(0)
  private readonly timer: NodeJS.Timeout
  private readonly settings: BreakerSettings

  constructor(settings: BreakerSettings) {
    this.settings = settings
    this.timer = setInterval(() => this.rotation.emit('rotate'), settings.windowMs / buckets)
    this.timer.unref()
  }

  create(name: string, changed: (state: BreakerState) => void): Breaker {
    return new OpossumBreaker(name, this.settings, this.rotation, changed)
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
    this.rotation.removeAllListeners()
  }
}

class OpossumBreaker implements Breaker {
  state: BreakerState = 'closed'
  epoch = 0
  private readonly circuit: CircuitBreaker<[boolean], void>

  constructor(
    name: string,
    settings: BreakerSettings,
    rotation: EventEmitter,
    changed: (state: BreakerState) => void,
  ) {
    this.circuit = new CircuitBreaker((failed: boolean) => (failed ? Promise.reject(failure) : settled), {
      name,
      timeout: false,
      errorThresholdPercentage: settings.errorThresholdPercent,
      volumeThreshold: settings.volumeThreshold,
      resetTimeout: settings.resetTimeoutMs,
      rollingCountTimeout: settings.windowMs,
      rollingCountBuckets: buckets,
      // Each failure would sort every latency of the window, and each breaker would run timers of its own.
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation,
    })
    const enter = (state: BreakerState): void => {
      this.state = state
      this.epoch += 1
      changed(state)
    }
    this.circuit.on('open', () => enter('open'))
    this.circuit.on('halfOpen', () => enter('half-open'))
    this.circuit.on('close', () => enter('closed'))
  }

  record(failed: boolean): void {
    if (failed || this.state !== 'closed') {
      this.circuit.fire(failed).catch(ignore)
      return
    }
    // What `fire` tells its counters of a success while it is closed, without the two promises of a call.
    this.circuit.emit('fire', noArguments)
    this.circuit.emit('success', undefined, 0)
  }

  open(): void {
    if (this.state === 'closed') this.circuit.open()
  }

  [Symbol.dispose](): void {
    this.circuit.shutdown()
  }
}

const noArguments: [boolean] = [false]
const settled = Promise.resolve()
const ignore = (): void => {}
