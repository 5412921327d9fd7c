// Places in a queue, in the order they were taken, to be served from either end. Whoever leaves from the middle costs nothing.

export interface Place<T> {
  readonly waiter: T
  /** Monotonic ms. */
  readonly since: number
}

interface Kept<T> extends Place<T> {
  gone: boolean
}

const compactAbove = 1000

export class Places<T> {
  private readonly byWaiter = new Map<T, Kept<T>>()
  private kept: Kept<T>[] = []
  /** Of `kept`, those before it are gone. */
  private head = 0

  get size(): number {
    return this.byWaiter.size
  }

  get oldest(): Place<T> | undefined {
    while (this.kept[this.head]?.gone === true) this.head += 1
    if (this.head > compactAbove && this.head * 2 > this.kept.length) {
      this.kept = this.kept.slice(this.head)
      this.head = 0
    }
    return this.kept[this.head]
  }

  /** A waiter has one place: a new one is instead of the old. */
  add(waiter: T, since: number): void {
    this.delete(waiter)
    const place = { waiter, since, gone: false }
    this.byWaiter.set(waiter, place)
    this.kept.push(place)
  }

  get(waiter: T): Place<T> | undefined {
    return this.byWaiter.get(waiter)
  }

  delete(waiter: T): boolean {
    const place = this.byWaiter.get(waiter)
    if (place === undefined) return false
    place.gone = true
    return this.byWaiter.delete(waiter)
  }

  /** Those that stand, oldest first. They may leave meanwhile; who comes meanwhile is not among them. */
  *oldestFirst(): Generator<Place<T>> {
    const { kept } = this
    const end = kept.length
    for (let i = this.head; i < end; i++) {
      const place = kept[i]
      if (place?.gone === false) yield place
    }
  }

  /** The same, newest first. */
  *newestFirst(): Generator<Place<T>> {
    while (this.kept.at(-1)?.gone === true) this.kept.pop()
    this.head = Math.min(this.head, this.kept.length)
    const { kept, head } = this
    for (let i = kept.length - 1; i >= head; i--) {
      const place = kept[i]
      if (place?.gone === false) yield place
    }
  }
}
