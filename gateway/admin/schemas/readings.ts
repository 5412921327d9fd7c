// Readings as they go over the wire: to operators, and from workers to their primary.
import { z } from 'zod'
import { quotaSharingStates } from '../../model/quota-sharing.ts'
import type { Readings } from '../../model/readings.ts'
import {
  breakerSchema,
  healthSchema,
  holdKindSchema,
  levelNameSchema,
  limitBasisSchema,
  modeSchema,
  nodeIdSchema,
  protectionSchema,
  regionIdSchema,
  verdictSchema,
} from './vocabulary.ts'

const rate = z.number().min(0)
const share = z.number().min(0).max(1)
const count = z.number().int().min(0)

export const nodeReadingsSchema = z.strictObject({
  node: nodeIdSchema,
  region: regionIdSchema,
  health: healthSchema,
  healthDetail: z.string(),
  breaker: breakerSchema,
  notReadyFor: z.array(regionIdSchema),
  trialUnderWay: z.boolean(),
  trialOverdue: z.boolean(),
  silentOverdue: count,
  hold: holdKindSchema.nullable(),
  inFlight: count,
  limit: rate.nullable(),
  knownLimit: rate.nullable(),
  limitBasis: limitBasisSchema,
  homeReserve: share,
  quotaSpent: z.boolean(),
  pausing: z.boolean(),
  ramp: share,
  p99Ms: rate.nullable(),
  meanMs: rate.nullable(),
  easeMs: rate.nullable(),
  costMs: rate,
  rps: rate,
  serving: verdictSchema,
  lending: verdictSchema,
})

export const homeReadingsSchema = z.strictObject({
  home: regionIdSchema,
  rps: rate,
  byLevel: z.array(
    z.strictObject({
      level: z.enum([...levelNameSchema.options, 'none']),
      region: regionIdSchema.nullable(),
      rps: rate,
    }),
  ),
  errorsPerSecond: rate,
  shedPerSecond: rate,
})

const lossSchema = z.strictObject({ since: z.number(), detail: z.string() })

export const quotaSharingSchema = z.strictObject({
  state: z.enum(quotaSharingStates),
  lost: lossSchema.nullable(),
  gateways: count,
  leaseMs: rate,
  pledges: z.array(z.strictObject({ pledge: z.string(), amount: rate, share: rate })),
})

export const gatewayReadingsSchema = z.strictObject({
  id: z.string(),
  version: z.string(),
  snapshotVersion: count,
  mode: modeSchema,
  registryLost: lossSchema.nullable(),
  quotaSharing: quotaSharingSchema.nullable(),
  protection: protectionSchema,
  workers: z.strictObject({ ready: count, of: count, missing: z.array(z.int()) }),
  uptimeSeconds: rate,
})

export const readingsSchema: z.ZodType<Readings> = z.strictObject({
  at: z.number(),
  gateway: gatewayReadingsSchema,
  nodes: z.array(nodeReadingsSchema),
  homes: z.array(homeReadingsSchema),
})
