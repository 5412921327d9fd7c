// What one process measured of drills, as it tells another.
import { z } from 'zod'
import { type DrillMeasures, moments } from '../../policy/drill-measure.ts'
import { foundBy } from '../../policy/drill-own-trips.ts'
import { nodeField } from '../intent/drills.ts'

const count = z.number().min(0)
const counts = z.record(z.string(), count)

const group = z.object({
  requests: count,
  errors: count,
  outcomes: counts,
  retries: count,
  hedges: count,
  coalesced: count,
  byLevel: counts,
  seconds: z.array(z.object({ second: count, requests: count, errors: count, sumMs: count, maxMs: count })),
  latency: z.array(count),
  underFault: z.object({ requests: count, errors: count }),
})
const recent = z.object({ requests: count, errors: count, p99Ms: count.nullable() })

const nodeHeard = z.object({
  node: nodeField,
  at: z.number().nullable(),
  by: z.enum(foundBy).nullable(),
  answers: count,
  failures: count,
})

export const measuresSchema: z.ZodType<DrillMeasures> = z.object({
  timeline: z.partialRecord(z.enum(moments), z.number()),
  cohort: group,
  control: group,
  events: z.array(z.object({ at: z.number(), node: nodeField, what: z.string(), real: z.boolean() })),
  heard: z.array(nodeHeard).default([]),
  recent: z.object({ cohort: recent, control: recent }),
})

/** By the drill's id. */
export const drillsToldSchema = z.record(
  z.string(),
  z.object({ measures: measuresSchema, inForce: z.boolean() }),
)
export type DrillsTold = z.output<typeof drillsToldSchema>
