// Work that is done one piece after the other, so that none is judged by what another undoes.

export class OneByOne {
  private last: Promise<unknown> = Promise.resolve()

  /** Does `work` when that before it has been done, whatever came of it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work)
    this.last = result.catch(() => {})
    return result
  }
}
