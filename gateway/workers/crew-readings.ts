// What all workers measure together: asks each, waits a second at most, and says who is missing.
import type { Measured, Readings } from '../model/readings.ts'
import { mergeReadings } from '../policy/merge-readings.ts'
import { type Asked, Questions } from './questions.ts'

/** A worker that can be asked; `askState` sends and does not wait. */
export interface StateAsked extends Asked {
  askState(id: number): void
}

export class CrewReadings implements Measured {
  private readonly places: readonly StateAsked[]
  private readonly silent: (missing: readonly number[]) => Readings
  private readonly questions = new Questions<StateAsked, Readings>((place, id) => place.askState(id))
  private reading: Promise<Readings> | null = null

  /** @param silent What is told when no worker answers. */
  constructor(places: readonly StateAsked[], silent: (missing: readonly number[]) => Readings) {
    this.places = places
    this.silent = silent
  }

  /** Whoever asks while the workers are being asked is told the same. */
  read(): Promise<Readings> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = null
    })
    return this.reading
  }

  heard(place: number, id: number, readings: Readings): void {
    this.questions.heard(place, id, readings)
  }

  ended(place: number): void {
    this.questions.ended(place)
  }

  private async readNow(): Promise<Readings> {
    const answers = await this.questions.ask(this.places)
    const missing = this.places.filter((_, i) => answers[i] === null).map(({ number }) => number)
    const told = answers.filter((answer) => answer !== null)
    return mergeReadings(told, { of: this.places.length, missing }) ?? this.silent(missing)
  }
}
