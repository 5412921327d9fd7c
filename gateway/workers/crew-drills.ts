// What all workers measure of drills together.
import type { DrillsTold } from '../control/drills/measures-record.ts'
import type { DrillMeasured } from '../control/drills/parts.ts'
import type { DrillMeasures } from '../policy/drill-measure.ts'
import { addedUp } from '../policy/drill-measure-sum.ts'
import { type Asked, Questions } from './questions.ts'

/** A worker that can be asked; `askDrills` sends and does not wait. */
export interface DrillsAsked extends Asked {
  askDrills(id: number): void
}

export class CrewDrills implements DrillMeasured {
  private readonly places: readonly DrillsAsked[]
  private readonly questions = new Questions<DrillsAsked, DrillsTold>((place, id) => place.askDrills(id))

  constructor(places: readonly DrillsAsked[]) {
    this.places = places
  }

  async read(drill: string): Promise<DrillMeasures | null> {
    const told = await this.ask()
    return addedUp(told.flatMap(({ [drill]: one }) => (one === undefined ? [] : [one.measures])))
  }

  async isInForce(drill: string): Promise<boolean> {
    const told = await this.ask()
    return told.some(({ [drill]: one }) => one?.inForce === true)
  }

  heard(place: number, id: number, drills: DrillsTold): void {
    this.questions.heard(place, id, drills)
  }

  ended(place: number): void {
    this.questions.ended(place)
  }

  /** One that is silent has its part missing: what it counted is told when it speaks again. */
  private async ask(): Promise<DrillsTold[]> {
    return (await this.questions.ask(this.places)).filter((answer) => answer !== null)
  }
}
