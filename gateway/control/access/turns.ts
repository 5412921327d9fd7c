// Work that is done one piece after the other, and turned away when too much of it waits.
import { OneByOne } from '../one-by-one.ts'

export class Turns {
  private readonly waitingAtMost: number
  private waiting = 0
  private readonly queue = new OneByOne()

  /** @param waitingAtMost The piece that is being done included. */
  constructor(waitingAtMost: number) {
    this.waitingAtMost = waitingAtMost
  }

  /** @returns `full` where it was not begun. */
  async take<T>(work: () => Promise<T>): Promise<{ readonly result: T } | 'full'> {
    if (this.waiting >= this.waitingAtMost) return 'full'
    this.waiting += 1
    try {
      return { result: await this.queue.run(work) }
    } finally {
      this.waiting -= 1
    }
  }
}
