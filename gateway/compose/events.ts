// The log of what operators are to see, with regions' names from the configuration in force.
import type { Config } from '../../config/schema.ts'
import { EventLog } from '../control/events/event-log.ts'
import { regionNames } from '../control/regions.ts'

export const openEvents = (config: () => Pick<Config, 'regions'>): EventLog =>
  new EventLog({ wallNow: Date.now, nameOf: regionNames(config) })
