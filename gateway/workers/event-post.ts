// A worker's events on their way to the primary: in order, and never more of them waiting than a bound.
import type { Happening } from '../model/happening.ts'
import type { FromWorker } from './messages.ts'

/** So many wait while the primary takes nothing; then the oldest are given up. */
const waitingAtMost = 500

export class EventPost {
  private readonly tell: (message: FromWorker) => Promise<void>
  private readonly waiting: Happening[] = []
  private lost = 0
  private busy = false

  /** @param tell Resolves once the message is taken. */
  constructor(tell: (message: FromWorker) => Promise<void>) {
    this.tell = tell
  }

  post(happening: Happening): void {
    this.waiting.push(happening)
    if (this.waiting.length > waitingAtMost) {
      this.waiting.shift()
      this.lost += 1
    }
    if (!this.busy) void this.send()
  }

  private async send(): Promise<void> {
    this.busy = true
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const { lost } = this
      this.lost = 0
      await this.tell({ type: 'event', happening: next, lost })
    }
    this.busy = false
  }
}
