// Questions to the workers, each answered within a second or counted as silence.
import { setTimeout as sleep } from 'node:timers/promises'

/** How long is waited for a worker, ms: well below Prometheus's own 10 s, and below what a person puts up with. */
const patienceMs = 1000

/** A worker's place. */
export interface Asked {
  readonly number: number
  readonly ready: boolean
}

interface Question<A> {
  readonly id: number
  /** Stays open while the worker is silent; `null` when it ends. */
  readonly answer: Promise<A | null>
  readonly resolve: (answer: A | null) => void
}

/** A worker is asked once, however many want to know before it answers. */
export class Questions<P extends Asked, A> {
  private readonly send: (place: P, id: number) => void
  private readonly open = new Map<number, Question<A>>()
  private nextId = 1

  /** @param send Does not wait. */
  constructor(send: (place: P, id: number) => void) {
    this.send = send
  }

  /** The answer of each place in their order; `null` for one that does not serve or stayed silent. */
  async ask(places: readonly P[]): Promise<(A | null)[]> {
    return Promise.all(places.map((place) => this.askOne(place)))
  }

  heard(place: number, id: number | null, answer: A): void {
    if (this.open.get(place)?.id === id) this.close(place, answer)
  }

  ended(place: number): void {
    this.close(place, null)
  }

  private async askOne(place: P): Promise<A | null> {
    if (!place.ready) return null
    const { answer } = this.open.get(place.number) ?? this.begin(place)
    const answeredOrEnded = new AbortController()
    const patience = sleep(patienceMs, null, { signal: answeredOrEnded.signal }).catch(() => null)
    const answered = await Promise.race([answer, patience])
    answeredOrEnded.abort()
    return answered
  }

  private begin(place: P): Question<A> {
    const { promise, resolve } = Promise.withResolvers<A | null>()
    const question = { id: this.nextId++, answer: promise, resolve }
    this.open.set(place.number, question)
    this.send(place, question.id)
    return question
  }

  private close(place: number, answer: A | null): void {
    this.open.get(place)?.resolve(answer)
    this.open.delete(place)
  }
}
