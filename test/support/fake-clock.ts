// A clock that a test turns by hand.
import type { Clock } from '../../gateway/model/clock.ts'

export class FakeClock implements Clock {
  private time = 0
  private readonly tasks = new Set<{ at: number; task: () => void }>()

  now(): number {
    return this.time
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.time + delayMs, task }
    this.tasks.add(entry)
    return () => this.tasks.delete(entry)
  }

  /** Tasks that wait, by the time left to each, ms. */
  get waiting(): readonly number[] {
    return [...this.tasks].map(({ at }) => at - this.time).sort((a, b) => a - b)
  }

  /** Turns the clock on, running what falls due in its order, and lets promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const end = this.time + byMs
    for (;;) {
      const [next] = [...this.tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.tasks.delete(next)
      this.time = next.at
      next.task()
      await settle()
    }
    this.time = end
    await settle()
  }
}

/** Lets everything that is ready run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
