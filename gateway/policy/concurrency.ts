// How many requests a node can take at once, learnt from how its latency answers to them. No capacity is configured.
import { LatencyAtEase } from './latency-at-ease.ts'
import { LatencySample } from './latency-sample.ts'

export interface ConcurrencySettings {
  /** Where learning starts, requests. */
  readonly initial: number
  /** Learning never goes below this, requests: a wrong measure must not shut a node. */
  readonly floor: number
  /** Learning never goes above this, requests. */
  readonly ceiling: number
  /** Latency that is still taken for unqueued, as a multiple of the node's own at ease, at least 1. */
  readonly tolerance: number
  /** And so many ms more, since a fast node's latency is mostly noise of the way. */
  readonly slackMs: number
}

const shortestWindowMs = 50
const longestWindowMs = 1000
/** Answers that a window needs before it says anything. */
const samplesNeeded = 10
const firstSamples = 3
/** One answer counts for no more than so many times the latency at ease: a single stuck request is no crowd. */
const outlierFactor = 8
/** Share of the limit in use from which latency is put down to the limit, and up to which it is the node's own. */
const busyShare = 0.5
/** So long a limit may shrink without the latency following before the latency at ease is doubted. */
const doubtAfterMs = 5000
/** Share of the limit that is left in a probe: few enough to find no queue, wherever the limit settles. */
const probeShare = 0.25
const longestProbeMs = 2000
/** A node that says "not before" is not asked for more for this long at the most. */
const longestPauseMs = 30_000
/** Time or answers, whichever is less, over which the rate of answers is averaged; time over which its peak is forgotten. */
const rateWindowMs = 250
const rateSamples = 30
const rateForgetsMs = 10_000
/** Room above what a node answers without a queue: for its scatter, and to see whether it can do more. */
const roomAbove = 2

/**
 * A gradient limiter: `limit * g + sqrt(limit) / 2` with `g = (tolerance * ease + slack) / latency`, as in Envoy's
 * adaptive concurrency filter and Netflix's Gradient2, and growth by half while latency shows no queue at all; all of
 * it between what the node's own rate of answers says, by Little's law, of a node without a queue and of one whose
 * queue is just bearable. The latency at ease is learnt only while less than half of the limit is in use; where that
 * does not happen by itself, three quarters of it are given up for the few answers that it takes to measure.
 */
export class AdaptiveLimit {
  private readonly settings: ConcurrencySettings
  private exact: number
  private inForce: number
  private readonly ease = new LatencyAtEase()
  private windowStart = 0
  private readonly window = new LatencySample()
  private peak = 0
  private refusals = 0
  private probe: Probe | null = null
  private noGrowthUntil = -Infinity
  private proven = false
  private answeredInAll = 0
  /** When {@link stretch} last looked, when all that was open then will have been answered, and the limit then. */
  private look = { since: -Infinity, until: 0, limit: 0 }
  /** So was the last look: once may be for the connections that had to be made. */
  private wasLate = false
  private closedUntil = -Infinity
  /** Answers a ms: averaged over the last moments, and the most of late. */
  private rate = 0
  private bestRate = 0

  constructor(settings: ConcurrencySettings) {
    this.settings = settings
    this.exact = settings.initial
    this.inForce = Math.floor(settings.initial)
  }

  /** Whole requests that the node may have open now, at least 1. */
  get limit(): number {
    return this.inForce
  }

  /** The node was seen to slow down or to refuse beyond the limit: it is a measure, not only where learning stands. */
  get isProven(): boolean {
    return this.proven
  }

  /** The node's latency without a queue, as last learnt, ms; 0 before the first answers. */
  get easeMs(): number {
    return this.ease.ms
  }

  /** Whether there is any use in asking {@link isClosed}: spares a look at the clock. */
  get hasPaused(): boolean {
    return this.closedUntil !== -Infinity
  }

  /** The node asked for a pause even from the fewest requests. */
  isClosed(now: number): boolean {
    return now < this.closedUntil
  }

  /**
   * Lets more through than was learnt, while requests wait and nothing has shown yet that it would be too much:
   * not knowing must not shed. By half at a time, each time after those then open have been answered; how long that
   * takes is the latency to come.
   *
   * @param ownDelayMs As for {@link answered}.
   * @returns false where the limit is a measured one, or the highest there may be.
   */
  stretch(inFlight: number, now: number, ownDelayMs: number): boolean {
    if (this.proven || this.probe !== null || this.exact >= this.settings.ceiling) return false
    const age = now - this.look.since
    const bearableMs = this.bearableMs(ownDelayMs)
    if (age > 2 * Math.max(shortestWindowMs, bearableMs)) this.lookAgain(inFlight, now)
    else if (this.ease.ms === 0) {
      if (age >= shortestWindowMs) this.raise(inFlight, now)
    } else if (age > bearableMs) this.lookedLate(inFlight, now)
    else if (this.answeredInAll >= this.look.until) {
      this.wasLate = false
      this.raise(inFlight, now)
    }
    return !this.proven
  }

  private lookedLate(inFlight: number, now: number): void {
    this.proven = this.wasLate
    this.wasLate = true
    this.lookAgain(inFlight, now)
  }

  private raise(inFlight: number, now: number): void {
    // Once for each look, whoever was first.
    if (this.exact <= this.look.limit) this.set(this.exact * 1.5)
    this.lookAgain(inFlight, now)
  }

  private lookAgain(inFlight: number, now: number): void {
    this.look = { since: now, until: this.answeredInAll + inFlight, limit: this.exact }
  }

  /** @param inFlight Open requests, the new one included. */
  began(inFlight: number, now: number): void {
    if (inFlight > this.peak) this.peak = inFlight
    // The first request of a probe is let in when the queue has come down to the probe's depth.
    if (this.probe !== null && this.probe.since === Infinity && inFlight <= this.inForce)
      this.probe.since = now
  }

  /**
   * @param latencyMs From sending to the head of the answer; for one that timed out, the time until then.
   * @param ownDelayMs How late the gateway itself may have been to notice: its event loop's delay.
   */
  answered(latencyMs: number, now: number, ownDelayMs: number): void {
    this.answeredInAll += 1
    if (this.probe !== null) {
      this.probed(this.probe, latencyMs, now)
      return
    }
    if (this.window.count === 0 && this.refusals === 0 && now - this.windowStart > longestWindowMs)
      this.open(now)
    const counted =
      this.ease.ms > 0 ? Math.min(latencyMs, this.ease.ms * outlierFactor + ownDelayMs) : latencyMs
    this.window.add(counted)
    // The very first were sent before there was a queue, even into a crowd.
    if (this.ease.ms === 0 && this.window.count === firstSamples) this.ease.guess(this.window)
    if (this.window.count < samplesNeeded) return
    const length = Math.min(longestWindowMs, Math.max(shortestWindowMs, this.ease.ms))
    if (now - this.windowStart >= length) this.close(now, ownDelayMs)
  }

  /**
   * The node said that it is full (429, or 503 with Retry-After).
   * @param retryAfterMs Until then it is not asked for more than it takes; not at all if it refused the fewest.
   */
  refused(inFlight: number, retryAfterMs: number, now: number): void {
    const { floor } = this.settings
    this.noGrowthUntil = Math.max(this.noGrowthUntil, now + Math.min(retryAfterMs, longestPauseMs))
    if (inFlight <= floor) this.closedUntil = this.noGrowthUntil
    this.refusals += 1
    this.proven = true
    // One answer to a limit that is too high is enough; the others of that moment say the same.
    if (this.refusals > 1 && now - this.windowStart < Math.max(shortestWindowMs, this.ease.ms)) return
    this.set(Math.min(this.exact, Math.max(inFlight, floor)) * 0.9)
    this.open(now)
    this.refusals = 1
  }

  private close(now: number, ownDelayMs: number): void {
    this.noteRate(now - this.windowStart)
    const busy = this.peak >= this.inForce * busyShare
    if (this.ease.isVague && !this.proven) this.ease.firm(this.window, now)
    else if (busy && this.ease.ms > 0) this.ease.correct(this.window)
    else this.ease.learn(this.window, now)
    if (busy) this.adjust(now, ownDelayMs)
    else if (this.exact > Math.max(this.enough, this.settings.initial)) this.letGo()
    this.open(now)
  }

  /** A limit that nothing has tried for long stands for nothing, and what lies above it is unknown again. */
  private letGo(): void {
    this.set(Math.max(this.enough, this.settings.initial))
    this.proven = false
  }

  private noteRate(lengthMs: number): void {
    const { count } = this.window
    const weight = this.rate === 0 ? 1 : Math.min(1, Math.max(lengthMs / rateWindowMs, count / rateSamples))
    this.rate += (count / lengthMs - this.rate) * weight
    this.bestRate = Math.max(this.rate, this.bestRate * Math.exp(-lengthMs / rateForgetsMs))
  }

  /**
   * By Little's law what is open when latency is just bearable, and some more. Beyond it a node answers no more for
   * having more: without this bound a load at the very edge of what it can do, where a queue comes and goes, would
   * let the limit grow while it is gone, and the latency at ease be learnt while it is there.
   */
  private get enough(): number {
    return this.bestRate * this.bearableMs(0) + roomAbove
  }

  /** By Little's law what was open without a queue: with less it would answer less, however long its queue was before. */
  private get least(): number {
    return this.bestRate * this.ease.ms
  }

  private adjust(now: number, ownDelayMs: number): void {
    const latency = this.window.mean
    const sure = latency - this.window.error
    const gradient = Math.max(0.5, Math.min(1, this.bearableMs(ownDelayMs) / sure))
    const unqueued = latency <= this.ease.ms + this.settings.slackMs / 2 + ownDelayMs
    const held = now < this.noGrowthUntil
    if (gradient < 1 || held) this.proven = true
    const kept = this.exact * gradient
    const room = Math.max(1, Math.sqrt(this.exact) / 2, unqueued ? this.exact / 2 : 0)
    const wanted = Math.max(this.least, Math.min(kept + room, Math.max(kept, this.enough)))
    if (wanted <= this.exact || !held) this.set(wanted)
    const { probePauseMs } = this.ease
    const pause = gradient < 0.7 ? Math.min(doubtAfterMs, probePauseMs) : probePauseMs
    if (this.ease.age(now) > pause && this.exact > 1) this.beginProbe(now)
  }

  /** Up to this latency it is not the queue that a request waits for. */
  private bearableMs(ownDelayMs: number): number {
    return this.settings.tolerance * this.ease.ms + this.settings.slackMs + ownDelayMs
  }

  private beginProbe(now: number): void {
    this.probe = { since: Infinity, until: now + longestProbeMs, found: new LatencySample() }
    this.inForce = Math.max(1, Math.floor(this.exact * probeShare))
  }

  /** Only what was sent after the queue had gone tells of the node at ease. */
  private probed(probe: Probe, latencyMs: number, now: number): void {
    if (now - latencyMs >= probe.since) probe.found.add(latencyMs)
    if (!this.ease.settles(probe.found) && now < probe.until) return
    this.ease.probed(probe.found, now)
    this.probe = null
    this.set(this.exact)
    this.open(now)
  }

  private set(limit: number): void {
    const { floor, ceiling } = this.settings
    this.exact = Math.min(ceiling, Math.max(floor, limit))
    this.inForce = Math.floor(this.exact)
  }

  private open(now: number): void {
    this.windowStart = now
    this.window.clear()
    this.peak = 0
    this.refusals = 0
  }
}

interface Probe {
  /** When the first request of the probe was sent, the queue being gone; `Infinity` before. */
  since: number
  /** It ends then, whatever it has learnt. */
  readonly until: number
  readonly found: LatencySample
}
