// A scrape of all workers: asks each for its metrics, waits a second at most, adds them up whoever is missing.
import { setTimeout as sleep } from 'node:timers/promises'
import { textOf } from '../telemetry/aggregate.ts'
import { CrewMetrics } from '../telemetry/crew-metrics.ts'
import { Ledger } from '../telemetry/ledger.ts'
import type { FromWorker } from './messages.ts'
import { ResidentUnion } from './resident-union.ts'

/** How long a scrape waits for a worker, ms: well below Prometheus's own 10 s. */
const patienceMs = 1000

/** A worker that can be asked; `ask` sends and does not wait. */
export interface Asked {
  readonly number: number
  readonly ready: boolean
  ask(id: number): void
}

export class Copies {
  readonly metrics: CrewMetrics
  private readonly ledger = new Ledger()
  private readonly residents = new ResidentUnion()
  private readonly places: readonly Asked[]
  /** Questions still open, by place. A worker is asked once, however often it is scraped before it answers. */
  private readonly open = new Map<number, Question>()
  private nextId = 1

  constructor(places: readonly Asked[], ready: () => number) {
    this.places = places
    this.metrics = new CrewMetrics(ready)
  }

  /** A worker's copy, sent by itself or as the answer to a question. @throws {RangeError} as `ResidentUnion.told`. */
  heard(place: number, { id, body, residents }: Copy): void {
    this.ledger.take(place, body)
    if (this.open.get(place)?.id === id) this.close(place, true)
    if (residents !== null) this.residents.told(residents)
  }

  /** Rejects where the worker's last copy can't be read. */
  async ended(place: number): Promise<void> {
    this.close(place, false)
    await this.ledger.retire(place)
  }

  /** The text for Prometheus. */
  async scrape(): Promise<{ contentType: string; body: string }> {
    const answers = await Promise.all(this.places.map(async (place) => this.answers(place)))
    const silent = new Set(this.places.filter((_, i) => answers[i] === false).map(({ number }) => number))
    this.metrics.scraped(this.places.length, silent)
    const copies = this.residents.in(await this.ledger.copies(silent))
    return {
      contentType: this.metrics.contentType,
      body: await textOf([await this.metrics.copy(), ...copies]),
    }
  }

  private async answers(place: Asked): Promise<boolean> {
    if (!place.ready) return false
    const { answer } = this.open.get(place.number) ?? this.ask(place)
    const tooLate = new AbortController()
    const patience = sleep(patienceMs, false, { signal: tooLate.signal }).catch(() => false)
    const answered = await Promise.race([answer, patience])
    tooLate.abort()
    return answered
  }

  private ask(place: Asked): Question {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const question = { id: this.nextId++, answer: promise, resolve }
    this.open.set(place.number, question)
    place.ask(question.id)
    return question
  }

  private close(place: number, answered: boolean): void {
    this.open.get(place)?.resolve(answered)
    this.open.delete(place)
  }
}

type Copy = Pick<Extract<FromWorker, { type: 'copy' }>, 'id' | 'body' | 'residents'>

interface Question {
  readonly id: number
  /** Whether a copy came; stays open while the worker is silent. */
  readonly answer: Promise<boolean>
  readonly resolve: (answered: boolean) => void
}
