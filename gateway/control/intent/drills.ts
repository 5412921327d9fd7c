// Drills that are on, as they stand in the registry: one lease for each home.
import { z } from 'zod'
import type { DrillLease, Fault } from '../../model/drill.ts'
import { isNodeId, isRegionId } from '../../model/ids.ts'

export const drillLeasePrefix = 'intent/drills/'
/** The lever: while its record is there, no drill is on, whatever leases say. */
export const drillLeverKey = 'intent/drill-lever'

const time = z.number().int().positive()
const share = z.number().min(0).max(1)
export const regionField = z.string().refine(isRegionId, 'a region code of six digits')
export const nodeField = z.string().refine(isNodeId, 'a node id')
export const levelField = z.enum(['local', 'neighbour', 'province', 'nation'])

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('trip') }),
  z.strictObject({ kind: z.literal('blackhole') }),
  z.strictObject({ kind: z.literal('refuse') }),
  z.strictObject({
    kind: z.literal('latency'),
    ms: z.number().int().min(1).max(60_000),
    jitterMs: z.number().int().min(0).max(60_000),
  }),
  z.strictObject({
    kind: z.literal('errors'),
    share: share.refine((value) => value > 0, 'above 0'),
    status: z.number().int().min(500).max(599),
  }),
  z.strictObject({ kind: z.literal('probe-fail') }),
  z.strictObject({ kind: z.literal('quota-cut'), share }),
  z.strictObject({ kind: z.literal('registry-loss') }),
])

export const faultScopeShape = {
  regions: z.array(regionField).max(64),
  nodes: z.array(nodeField).max(1000),
  levels: z.array(levelField).max(4),
}

export const drillLeaseSchema: z.ZodType<DrillLease> = z.strictObject({
  drill: z.string().min(1).max(64),
  home: regionField,
  scope: z.strictObject(faultScopeShape),
  fault: faultSchema,
  cohort: share,
  startedAt: time,
  faultAt: time,
  endsAt: time,
  expiresAt: time,
})

export const drillLeverSchema = z.strictObject({
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(2000),
  setAt: time,
})
export type DrillLever = z.output<typeof drillLeverSchema>
