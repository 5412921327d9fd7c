// How many requests a node can take at once, learnt from how its latency answers to them. No capacity is configured.

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
/** Weight of one window in the latency at ease; the same up and down, or much scatter would pull it down. */
const easeWeight = 0.1
const easeFaster = 0.3
const muchFaster = 0.6
const firstProbeMs = 1000
/** By so much the knee moves out with each window without a queue. */
const kneeForgets = 1.05
const longestProbePauseMs = 30_000
/** So long a limit may shrink without the latency following before the latency at ease is doubted. */
const doubtAfterMs = 5000
/** Share of the limit that is left in a probe: few enough to find no queue, wherever the limit settles. */
const probeShare = 0.25
const probeSamples = 6
const longestProbeMs = 2000
/** A node that says "not before" is not asked for more for this long at the most. */
const longestPauseMs = 30_000

/**
 * A gradient limiter: `limit * g + sqrt(limit) / 2` with `g = (tolerance * ease + slack) / latency`, as in Envoy's
 * adaptive concurrency filter and Netflix's Gradient2, and growth by half while latency shows no queue at all.
 *
 * Both of those measure the latency at ease badly under a lasting crowd: a long average drifts up with the queue that
 * it should prevent, and a minimum is left low by one lucky answer. Here the latency at ease is learnt only while less
 * than half of the limit is in use; and where that does not happen by itself, three quarters of it are given up for
 * the few answers that it takes to measure.
 */
export class AdaptiveLimit {
  private readonly settings: ConcurrencySettings
  private exact: number
  private inForce: number
  /** Latency of the node without a queue, ms; 0 before its first answers. */
  private ease = 0
  private windowStart = 0
  private count = 0
  private sum = 0
  private peak = 0
  private refusals = 0
  private easeAt = -Infinity
  private probePauseMs = firstProbeMs
  private probe: Probe | null = null
  private noGrowthUntil = -Infinity
  private proven = false
  /** Where a queue was last seen to begin: up to there the limit grows fast, from there on with care. */
  private knee = Infinity
  private answeredInAll = 0
  /** When {@link stretch} last looked, and what had been answered by then. */
  private look = { since: -Infinity, answered: 0 }
  private closedUntil = -Infinity

  constructor(settings: ConcurrencySettings) {
    this.settings = settings
    this.exact = settings.initial
    this.inForce = Math.floor(settings.initial)
  }

  /** Whole requests that the node may have open now, at least 1. */
  get limit(): number {
    return this.inForce
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
   * not knowing must not shed. By half at a time, each time after as long as it takes to see what the last one did:
   * by Little's law, the requests open over those answered meanwhile are the latency to come.
   *
   * @param ownDelayMs As for {@link answered}.
   * @returns false where the limit is a measured one, or the highest there may be.
   */
  stretch(inFlight: number, now: number, ownDelayMs: number): boolean {
    if (this.proven || this.probe !== null || this.exact >= this.settings.ceiling) return false
    const waitMs = Math.max(shortestWindowMs, this.ease * 1.25)
    const { since, answered } = this.look
    if (now - since > 2 * waitMs) this.look = { since: now, answered: this.answeredInAll }
    else if (now - since >= waitMs) {
      const expectedMs = (inFlight * (now - since)) / (this.answeredInAll - answered)
      this.proven = this.ease > 0 && expectedMs > this.bearableMs(ownDelayMs)
      if (this.proven) this.knee = this.exact
      this.look = { since: now, answered: this.answeredInAll }
      if (this.proven) return false
      this.set(this.exact * 1.5)
    }
    return true
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
    if (this.count === 0 && this.refusals === 0 && now - this.windowStart > longestWindowMs) this.open(now)
    this.count += 1
    this.sum += this.ease > 0 ? Math.min(latencyMs, this.ease * outlierFactor + ownDelayMs) : latencyMs
    // The very first were sent before there was a queue, even into a crowd.
    if (this.ease === 0 && this.count === firstSamples) this.ease = this.sum / firstSamples
    if (this.count < samplesNeeded) return
    const length = Math.min(longestWindowMs, Math.max(shortestWindowMs, this.ease))
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
    if (this.refusals > 1 && now - this.windowStart < Math.max(shortestWindowMs, this.ease)) return
    this.set(Math.min(this.exact, Math.max(inFlight, floor)) * 0.9)
    this.open(now)
    this.refusals = 1
  }

  private close(now: number, ownDelayMs: number): void {
    const latency = this.sum / this.count
    const busy = this.peak >= this.inForce * busyShare
    if (!busy || this.ease === 0) this.learnEase(latency, now)
    // A queue can only add: what is much faster even so shows that the node was taken for slower than it is.
    else if (latency < this.ease * muchFaster) this.ease += (latency - this.ease) * easeWeight
    if (busy) this.adjust(latency, now, ownDelayMs)
    this.open(now)
  }

  private learnEase(latency: number, now: number): void {
    const weight = latency < this.ease * muchFaster ? easeFaster : easeWeight
    this.ease = this.ease === 0 ? latency : this.ease + (latency - this.ease) * weight
    this.easeAt = now
    this.probePauseMs = longestProbePauseMs
  }

  private adjust(latency: number, now: number, ownDelayMs: number): void {
    const gradient = Math.max(0.5, Math.min(1, this.bearableMs(ownDelayMs) / latency))
    const unqueued = latency <= this.ease + this.settings.slackMs / 2 + ownDelayMs
    const held = now < this.noGrowthUntil
    if (gradient < 1 || held) {
      this.proven = true
      this.knee = this.exact * gradient
    } else if (unqueued) this.knee *= kneeForgets
    const room = Math.max(1, Math.sqrt(this.exact) / 2)
    const leap = unqueued ? Math.min(this.exact / 2, this.knee - this.exact) : 0
    const wanted = this.exact * gradient + Math.max(room, leap)
    if (wanted <= this.exact || !held) this.set(wanted)
    if (this.easeAt === -Infinity) this.easeAt = now
    const pause = gradient < 0.7 ? Math.min(doubtAfterMs, this.probePauseMs) : this.probePauseMs
    if (now - this.easeAt > pause && this.exact > 1) this.beginProbe(now)
  }

  /** Up to this latency it is not the queue that a request waits for. */
  private bearableMs(ownDelayMs: number): number {
    return this.settings.tolerance * this.ease + this.settings.slackMs + ownDelayMs
  }

  private beginProbe(now: number): void {
    this.probe = { since: Infinity, until: now + longestProbeMs, count: 0, sum: 0 }
    this.inForce = Math.max(1, Math.floor(this.exact * probeShare))
  }

  /** Only what was sent after the queue had gone tells of the node at ease. */
  private probed(probe: Probe, latencyMs: number, now: number): void {
    if (now - latencyMs >= probe.since) {
      probe.count += 1
      probe.sum += latencyMs
    }
    if (probe.count < probeSamples && now < probe.until) return
    const before = this.ease
    if (probe.count > 0) this.ease += (probe.sum / probe.count - before) * 0.5
    const moved = Math.abs(this.ease - before) > before * 0.1
    this.probePauseMs = moved ? firstProbeMs : Math.min(longestProbePauseMs, this.probePauseMs * 2)
    this.probe = null
    this.easeAt = now
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
    this.count = 0
    this.sum = 0
    this.peak = 0
    this.refusals = 0
  }
}

interface Probe {
  /** When the first request of the probe was sent, the queue being gone; `Infinity` before. */
  since: number
  /** It ends then, whatever it has learnt. */
  readonly until: number
  count: number
  sum: number
}
