// The log of what operators are to see, with regions' names from the configuration in force.
import type { Config } from '../../config/schema.ts'
import { byPrimary, EventLog } from '../control/events/event-log.ts'
import type { Happening } from '../model/happening.ts'
import { regionNames } from '../control/regions.ts'

/** Tells what a primary itself has seen: its workers may see the same. */
export const tellByPrimary =
  (events: EventLog) =>
  (happening: Happening): void =>
    events.add(happening, byPrimary)

export const openEvents = (config: () => Pick<Config, 'regions'>): EventLog =>
  new EventLog({ wallNow: Date.now, nameOf: regionNames(config) })
