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

/** Drills of which the figures of workers that ended are kept. */
const keptAtMost = 8

export class CrewDrills implements DrillMeasured {
  private readonly places: readonly DrillsAsked[]
  private readonly questions = new Questions<DrillsAsked, DrillsTold>((place, id) => place.askDrills(id))

  /** What each worker that serves told last. */
  private readonly last = new Map<number, DrillsTold>()
  /** By drill, what workers that have ended had counted. */
  private readonly left = new Map<string, DrillMeasures>()

  constructor(places: readonly DrillsAsked[]) {
    this.places = places
  }

  async read(drill: string): Promise<DrillMeasures | null> {
    const told = await this.ask()
    const parts = told.flatMap(({ [drill]: one }) => (one === undefined ? [] : [one.measures]))
    const left = this.left.get(drill)
    // Of those that are gone nobody knows what is happening now.
    return addedUp(parts.length === 0 || left === undefined ? parts : [left, ...parts])
  }

  async isInForce(drill: string): Promise<boolean> {
    const told = await this.ask()
    return told.some(({ [drill]: one }) => one?.inForce === true)
  }

  heard(place: number, id: number, drills: DrillsTold): void {
    this.last.set(place, drills)
    this.questions.heard(place, id, drills)
  }

  ended(place: number): void {
    this.questions.ended(place)
    for (const [drill, { measures }] of Object.entries(this.last.get(place) ?? {})) this.keep(drill, measures)
    this.last.delete(place)
  }

  /** Whoever takes its place counts anew. */
  private keep(drill: string, measures: DrillMeasures): void {
    const counted = { ...measures, recent: { cohort: nothing, control: nothing } }
    const before = this.left.get(drill)
    this.left.set(drill, (before === undefined ? null : addedUp([before, counted])) ?? counted)
    const [oldest] = this.left.keys()
    if (this.left.size > keptAtMost && oldest !== undefined) this.left.delete(oldest)
  }

  /** One that is silent has its part missing: what it counted is told when it speaks again. */
  private async ask(): Promise<DrillsTold[]> {
    return (await this.questions.ask(this.places)).filter((answer) => answer !== null)
  }
}

const nothing = { requests: 0, errors: 0, p99Ms: null } as const
