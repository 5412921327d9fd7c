// Work that is done one piece after the other, and turned away when too much of it waits.

export class Turns {
  private readonly waitingAtMost: number
  private waiting = 0
  private last: Promise<unknown> = Promise.resolve()

  /** @param waitingAtMost The piece that is being done included. */
  constructor(waitingAtMost: number) {
    this.waitingAtMost = waitingAtMost
  }

  /** @returns `full` where it was not begun. */
  async take<T>(work: () => Promise<T>): Promise<{ readonly result: T } | 'full'> {
    if (this.waiting >= this.waitingAtMost) return 'full'
    this.waiting += 1
    const result = this.last.then(work)
    this.last = result.catch(() => {})
    try {
      return { result: await result }
    } finally {
      this.waiting -= 1
    }
  }
}
