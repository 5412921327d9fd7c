// A scrape of all workers: asks each for its metrics, waits a second at most, adds them up whoever is missing.
import { textOf } from '../telemetry/aggregate.ts'
import { CrewMetrics } from '../telemetry/crew-metrics.ts'
import { Ledger } from '../telemetry/ledger.ts'
import type { FromWorker } from './messages.ts'
import { type Asked, Questions } from './questions.ts'
import { ResidentUnion } from './resident-union.ts'

/** A worker that can be asked; `ask` sends and does not wait. */
export interface CopyAsked extends Asked {
  ask(id: number): void
}

export class Copies {
  readonly metrics: CrewMetrics
  private readonly ledger = new Ledger()
  private readonly residents = new ResidentUnion()
  private readonly places: readonly CopyAsked[]
  private readonly questions = new Questions<CopyAsked, true>((place, id) => place.ask(id))

  constructor(places: readonly CopyAsked[], ready: () => number) {
    this.places = places
    this.metrics = new CrewMetrics(ready)
  }

  /** A worker's copy, sent by itself or as the answer to a question. @throws {RangeError} as `ResidentUnion.told`. */
  heard(place: number, { id, body, residents }: Copy): void {
    this.ledger.take(place, body)
    this.questions.heard(place, id, true)
    if (residents !== null) this.residents.told(residents)
  }

  /** Rejects where the worker's last copy can't be read. */
  async ended(place: number): Promise<void> {
    this.questions.ended(place)
    await this.ledger.retire(place)
  }

  /** The text for Prometheus. */
  async scrape(): Promise<{ contentType: string; body: string }> {
    const answers = await this.questions.ask(this.places)
    const silent = new Set(this.places.filter((_, i) => answers[i] === null).map(({ number }) => number))
    this.metrics.scraped(this.places.length, silent)
    const copies = this.residents.in(await this.ledger.copies(silent))
    return {
      contentType: this.metrics.contentType,
      body: await textOf([await this.metrics.copy(), ...copies]),
    }
  }
}

type Copy = Pick<Extract<FromWorker, { type: 'copy' }>, 'id' | 'body' | 'residents'>
