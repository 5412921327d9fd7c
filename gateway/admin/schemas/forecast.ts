// Previews as they go over the wire: what is asked, and who would take what.
import { z } from 'zod'
import { holdKinds } from '../../model/hold.ts'
import type { Preview } from '../../control/preview.ts'
import { guardNames } from '../../policy/guards.ts'
import { levelNameSchema, modeSchema, nodeIdSchema, regionIdSchema } from './vocabulary.ts'

/** What an operator may ask to see before it is done. An enrolment is named; its step gives the regions. */
export const changeAskedSchema = z.union([
  z.strictObject({
    hold: z.strictObject({
      kind: z.enum(holdKinds),
      scope: z.union([z.strictObject({ node: nodeIdSchema }), z.strictObject({ region: regionIdSchema })]),
    }),
  }),
  z.strictObject({ endHold: z.string().min(1).max(64) }),
  z.strictObject({ mode: modeSchema.nullable() }),
  z.strictObject({
    enrolment: z.string().min(1).max(64),
    step: z.enum(['activate', 'suspend', 'resume', 'withdraw']),
  }),
  z.strictObject({ removeNode: nodeIdSchema }),
])
export type ChangeAsked = z.output<typeof changeAskedSchema>

/** Changes of one preview, at the most 32. */
export const previewAskedSchema = z.strictObject({ changes: z.array(changeAskedSchema).max(32) })

const rps = z.number().min(0)
const share = z.number().min(0).max(1)

const homeForecastSchema = z.strictObject({
  home: regionIdSchema,
  rps,
  byLevel: z.array(z.strictObject({ level: levelNameSchema, region: regionIdSchema, rps })),
  shedRps: rps,
  shedByClass: z.strictObject({ critical: rps, important: rps, deferrable: rps }).nullable(),
  levels: z.number().int().min(0),
  levelsLeft: z.number().int().min(0),
})

const regionForecastSchema = z.strictObject({
  region: regionIdSchema,
  ownRps: rps,
  borrowedRps: rps,
  capacityRps: rps.nullable(),
  utilisation: rps.nullable(),
  lendableRps: rps.nullable(),
  lendingUse: rps.nullable(),
})

const nodeForecastSchema = z.strictObject({
  node: nodeIdSchema,
  region: regionIdSchema,
  serves: z.boolean(),
  rps,
  share,
  capacityRps: rps.nullable(),
  capacityBasis: z.enum(['declared', 'reported', 'learnt', 'unknown']),
})

export const forecastSchema = z.strictObject({
  homes: z.array(homeForecastSchema),
  regions: z.array(regionForecastSchema),
  nodes: z.array(nodeForecastSchema),
  totals: z.strictObject({
    rps,
    servedRps: rps,
    borrowedRps: rps,
    shedRps: rps,
    capacityRps: rps.nullable(),
  }),
  unknownCapacity: z.array(nodeIdSchema),
})

const moved = <S extends z.ZodType>(name: S) => z.strictObject({ name, before: rps, after: rps })

export const differencesSchema = z.strictObject({
  homes: z.array(
    z.strictObject({
      home: regionIdSchema,
      levels: z.array(moved(z.string())),
      shed: moved(z.literal('shed')).nullable(),
    }),
  ),
  regions: z.array(moved(regionIdSchema)),
  nodes: z.array(moved(nodeIdSchema)),
})

export const guardedSchema = z.strictObject({
  guard: z.enum(guardNames),
  severity: z.enum(['object', 'warn']),
  isHard: z.boolean(),
  home: regionIdSchema.nullable(),
  region: regionIdSchema.nullable(),
  nodes: z.array(nodeIdSchema),
  found: z.number(),
  bound: z.number(),
})

export const previewSchema: z.ZodType<Preview> = z.strictObject({
  before: forecastSchema,
  after: forecastSchema,
  differences: differencesSchema,
  guards: z.array(guardedSchema),
})
