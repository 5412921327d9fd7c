// A node's service: so many slots, and before them a first-come queue without bound, as in real servers. Who left
// keeps his place: the node does not know.
import type { Behaviour, NodeFigures } from './messages.ts'

const usualMs = 5

interface Job {
  readonly cameAt: number
  readonly finish: () => void
}

export class ServiceQueue {
  private serviceMs = usualMs
  private jitterShare = 0
  private slots = Infinity
  private keepsSpans = false
  private readonly waiting: Job[] = []
  /** Of `waiting`, those before it have begun: taking the first of an array of ten thousands costs too much. */
  private head = 0
  private busy = 0
  private served = 0
  private done = 0
  private begun = 0
  private waitedMs = 0
  private waitedMostMs = 0
  private openMost = 0
  private readonly spans: [number, number][] = []
  private random: number

  constructor(seed: number) {
    this.random = seed
  }

  behave({ serviceMs, jitterShare, slots, keepsSpans }: Behaviour): void {
    this.serviceMs = serviceMs ?? usualMs
    this.jitterShare = jitterShare ?? 0
    this.slots = slots ?? Infinity
    this.keepsSpans = keepsSpans ?? false
  }

  /** @param finish Called when the work is done. */
  take(finish: () => void): void {
    const cameAt = performance.now()
    this.served += 1
    this.openMost = Math.max(this.openMost, this.served - this.done)
    if (this.busy < this.slots) this.begin({ cameAt, finish }, cameAt)
    else this.waiting.push({ cameAt, finish })
  }

  get figures(): NodeFigures {
    const { served, done, waitedMostMs, openMost, spans } = this
    return {
      served,
      done,
      waitedMeanMs: this.waitedMs / Math.max(1, this.begun),
      waitedMostMs,
      openMost,
      spans,
    }
  }

  private begin(job: Job, at: number): void {
    this.busy += 1
    this.begun += 1
    this.waitedMs += at - job.cameAt
    this.waitedMostMs = Math.max(this.waitedMostMs, at - job.cameAt)
    const doneAt = at + this.serviceMs * (1 + this.jitterShare * (2 * this.draw() - 1))
    setTimeout(() => this.end(job, doneAt), doneAt - performance.now())
  }

  private end({ cameAt, finish }: Job, doneAt: number): void {
    this.busy -= 1
    this.done += 1
    if (this.keepsSpans) {
      this.spans.push([performance.timeOrigin + cameAt, performance.timeOrigin + performance.now()])
    }
    finish()
    const next = this.waiting[this.head]
    if (next === undefined) return
    this.head += 1
    if (this.head > 1000) {
      this.waiting.splice(0, this.head)
      this.head = 0
    }
    // From when the slot should have been free: a timer that fires late must not lower the capacity.
    this.begin(next, Math.max(doneAt, next.cameAt))
  }

  /** 0 to 1, the same series every run (mulberry32). */
  private draw(): number {
    this.random = (this.random + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.random ^ (this.random >>> 15), 1 | this.random)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
