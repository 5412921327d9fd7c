// The federation at a glance, as it goes over the wire.
import { z } from 'zod'
import { homeStates, type Status } from '../../policy/status.ts'
import { gatewayReadingsSchema, nodeReadingsSchema } from './readings.ts'
import { levelNameSchema, modeSchema, regionIdSchema, wordsSchema } from './vocabulary.ts'

const rate = z.number().min(0)
const count = z.number().int().min(0)

export const nodeStatusSchema = nodeReadingsSchema.extend({
  weight: z.number().positive(),
  holds: z.array(z.string()),
})

export const regionStatusSchema = z.strictObject({
  region: regionIdSchema,
  name: wordsSchema,
  tier: z.enum(['city', 'province', 'nation']),
  state: z.enum(homeStates),
  nodesServing: count,
  nodes: z.array(nodeStatusSchema),
  levels: z.array(
    z.strictObject({ level: levelNameSchema, region: regionIdSchema, serves: z.boolean(), rps: rate }),
  ),
  rps: rate,
  errorsPerSecond: rate,
  shedPerSecond: rate,
  lentRps: rate,
})

export const statusSchema: z.ZodType<Status> = z.strictObject({
  at: z.number(),
  gateway: gatewayReadingsSchema,
  setMode: modeSchema.nullable(),
  totals: z.strictObject({
    rps: rate,
    borrowedRps: rate,
    errorsPerSecond: rate,
    shedPerSecond: rate,
    regions: count,
    nodes: count,
    nodesServing: count,
    holds: count,
    byState: z.strictObject({ down: count, impaired: count, helped: count, strained: count, well: count }),
  }),
  regions: z.array(regionStatusSchema),
})
