// Decisions that are judged before they are written: one after the other, so that none is judged by what another undoes.

export class OneByOne {
  private last: Promise<unknown> = Promise.resolve()

  /** Runs `decide` when those before it have been decided, whatever came of them. */
  run<T>(decide: () => Promise<T>): Promise<T> {
    const result = this.last.then(decide)
    this.last = result.catch(() => {})
    return result
  }
}
