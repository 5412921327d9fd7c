// The latency of a node that has no queue, learnt from its answers: what a queue is told by.
import type { LatencySample } from './latency-sample.ts'

/** Standard error of a mean, as a share of it, up to which it is believed; and answers after which it is anyway. */
const believedError = 0.2
const enoughSamples = 30
const probeSamples = 6
/** Weight of one window; the same up and down, or much scatter would pull it down. */
const usualWeight = 0.1
const fasterWeight = 0.3
const muchFaster = 0.6
const firstProbeMs = 1000
const longestProbePauseMs = 30_000

/**
 * A long average drifts up with the queue that it should prevent, and a minimum is left low by one lucky answer. This
 * one is moved by windows in which the node had little to do, and else by probes, for which it is given little to do.
 */
export class LatencyAtEase {
  /** Milliseconds; 0 before the first answers. */
  ms = 0
  /** How long to wait with the next probe. */
  probePauseMs = firstProbeMs
  private learntAt = -Infinity
  /** Answers that the first estimate stands on, until there are enough. */
  private samples = enoughSamples

  /** From the very first answers. What scatters little is known by them; the rest takes more. */
  guess(window: LatencySample): void {
    this.ms = window.mean
    this.samples = window.error < this.ms * believedError ? enoughSamples : 0
  }

  /** The first estimate stands on too few answers for their scatter. */
  get isVague(): boolean {
    return this.samples < enoughSamples
  }

  /** From a window that nothing says to have had a queue, while the estimate is vague. */
  firm(window: LatencySample, now: number): void {
    const samples = this.samples + window.count
    this.ms = (this.samples * this.ms + window.count * window.mean) / samples
    this.samples = samples
    this.learntAt = now
  }

  /** From a window in which the node had little to do. */
  learn(window: LatencySample, now: number): void {
    if (this.ms === 0) this.ms = window.mean
    else this.move(window, this.isAbove(window) ? fasterWeight : usualWeight)
    this.learntAt = now
    this.probePauseMs = longestProbePauseMs
  }

  /** From a busy window: a queue can only add, so what is much faster shows that the node was taken for slower. */
  correct(window: LatencySample): void {
    if (this.isAbove(window)) this.move(window, usualWeight)
  }

  /** Time since it was last learnt, counted from the first question. */
  age(now: number): number {
    if (this.learntAt === -Infinity) this.learntAt = now
    return now - this.learntAt
  }

  /** Whether a probe has found enough to say what it was made for. */
  settles(found: LatencySample): boolean {
    return found.count >= probeSamples && found.error < found.mean * believedError
  }

  /** From a probe. Where it moved the estimate the next one is soon, else later each time. */
  probed(found: LatencySample, now: number): void {
    const before = this.ms
    if (found.count > 0) this.move(found, 0.5)
    const moved = Math.abs(this.ms - before) > before * 0.1
    this.probePauseMs = moved ? firstProbeMs : Math.min(longestProbePauseMs, this.probePauseMs * 2)
    this.learntAt = now
  }

  private isAbove(window: LatencySample): boolean {
    return window.mean + 2 * window.error < this.ms * muchFaster
  }

  private move({ mean }: LatencySample, weight: number): void {
    this.ms += (mean - this.ms) * weight
  }
}
