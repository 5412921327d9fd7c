// A node's condition as it was read: what the router judged by, for whoever judges afterwards.
import type { NodeReadings } from '../model/readings.ts'
import type { Condition } from './eligibility.ts'

export type ConditionRead = Pick<NodeReadings, Exclude<keyof Condition, 'limit'> | 'limit'>

/** The readings have `null` where JSON has no infinity. */
export const conditionOf = (readings: ConditionRead): Condition => ({
  ...readings,
  limit: readings.limit ?? Infinity,
  notReadyFor: new Set(readings.notReadyFor),
})
