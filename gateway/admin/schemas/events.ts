// Events as they go over the wire: to operators, and from workers to their primary.
import { z } from 'zod'
import { drillStates } from '../../model/drill.ts'
import type { Happening, OperatorEvent } from '../../model/happening.ts'
import {
  breakerSchema,
  healthSchema,
  holdKindSchema,
  levelNameSchema,
  modeSchema,
  nodeIdSchema,
  protectionSchema,
  regionIdSchema,
  wordsSchema,
} from './vocabulary.ts'

const count = z.number().int().min(0)
const kind = <K extends Happening['kind']>(name: K) => z.literal(name)

const holdShown = z.strictObject({
  id: z.string(),
  kind: holdKindSchema,
  scope: z.union([z.strictObject({ node: nodeIdSchema }), z.strictObject({ region: regionIdSchema })]),
  owner: z.string(),
  reason: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
})

export const happeningSchema: z.ZodType<Happening> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: kind('health'),
    node: nodeIdSchema,
    region: regionIdSchema,
    health: healthSchema,
    detail: z.string(),
  }),
  z.strictObject({
    kind: kind('breaker'),
    node: nodeIdSchema,
    region: regionIdSchema,
    state: breakerSchema,
  }),
  z.strictObject({
    kind: kind('readiness'),
    node: nodeIdSchema,
    region: regionIdSchema,
    notReadyFor: z.array(regionIdSchema),
  }),
  z.strictObject({
    kind: kind('shift'),
    home: regionIdSchema,
    level: z.enum([...levelNameSchema.options, 'none']),
    region: regionIdSchema.nullable(),
    changes: count,
    swings: z.boolean(),
  }),
  z.strictObject({
    kind: kind('hold'),
    step: z.enum(['put', 'changed', 'ended', 'expired']),
    hold: holdShown,
  }),
  z.strictObject({ kind: kind('mode'), mode: modeSchema }),
  z.strictObject({ kind: kind('snapshot'), version: count, regions: count, nodes: count }),
  z.strictObject({ kind: kind('registry'), up: z.boolean(), detail: z.string() }),
  z.strictObject({ kind: kind('shedding'), home: regionIdSchema }),
  z.strictObject({ kind: kind('protection'), level: protectionSchema, reason: z.string() }),
  z.strictObject({
    kind: kind('enrolment'),
    enrolment: z.string(),
    donor: regionIdSchema,
    step: z.string(),
  }),
  z.strictObject({
    kind: kind('drill'),
    drill: z.string(),
    homes: z.array(regionIdSchema),
    step: z.enum([...drillStates, 'fault-on', 'fault-off', 'over']),
  }),
  z.strictObject({
    kind: kind('reload-refused'),
    what: z.enum(['configuration', 'certificate']),
    detail: z.string(),
  }),
])

export const operatorEventSchema: z.ZodType<OperatorEvent> = z.strictObject({
  id: z.string().regex(/^\d+-\d+$/),
  at: z.number(),
  severity: z.enum(['info', 'warn', 'error']),
  region: regionIdSchema.nullable(),
  node: nodeIdSchema.nullable(),
  home: regionIdSchema.nullable(),
  message: wordsSchema,
  seenBy: z.number().int().min(1),
  happening: happeningSchema,
})

/** A gap as it goes over the wire. */
export const gapSchema = z.strictObject({ missed: count.nullable() })
