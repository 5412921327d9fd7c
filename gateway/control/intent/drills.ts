// Drills that are on, as they stand in the registry: one lease for each home.
import { z } from 'zod'
import type { DrillLease, Fault, FaultKind } from '../../model/drill.ts'
import { expected } from './expected.ts'
import { isNodeId, isRegionId } from '../../model/ids.ts'

export const drillLeasePrefix = 'intent/drills/'
/** The lever: while its record is there, no drill is on, whatever leases say. */
export const drillLeverKey = 'intent/drill-lever'

const time = z.number().int().positive()
const aShare = expected('a share from 0 to 1')
const share = z.number(aShare).min(0, aShare).max(1, aShare)
const aPart = expected('a share above 0, at most 1')
const aStatus = expected('an HTTP status, 500 to 599')
const aDelay = (least: number) => {
  const right = expected(`whole milliseconds, ${least} to 60000`)
  return z.number(right).int(right).min(least, right).max(60_000, right)
}
export const regionField = z.string().refine(isRegionId, 'a region code of six digits')
export const nodeField = z.string().refine(isNodeId, 'a node id')
const levels = ['local', 'neighbour', 'province', 'nation'] as const
export const levelField = z.enum(levels, expected(`one of ${levels.join(', ')}`))

const faults: Readonly<Record<FaultKind, true>> = {
  trip: true,
  blackhole: true,
  refuse: true,
  latency: true,
  errors: true,
  'probe-fail': true,
  'quota-cut': true,
  'registry-loss': true,
}
const aFault = expected(`an object whose kind is one of ${Object.keys(faults).join(', ')}`)

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('trip') }),
    z.strictObject({ kind: z.literal('blackhole') }),
    z.strictObject({ kind: z.literal('refuse') }),
    z.strictObject({
      kind: z.literal('latency'),
      ms: aDelay(1),
      jitterMs: aDelay(0),
    }),
    z.strictObject({
      kind: z.literal('errors'),
      share: z.number(aPart).gt(0, aPart).max(1, aPart),
      status: z.number(aStatus).int(aStatus).min(500, aStatus).max(599, aStatus),
    }),
    z.strictObject({ kind: z.literal('probe-fail') }),
    z.strictObject({ kind: z.literal('quota-cut'), share }),
    z.strictObject({ kind: z.literal('registry-loss') }),
  ],
  {
    error: ({ input }) =>
      aFault.error({
        input: typeof input === 'object' && input !== null && 'kind' in input ? input.kind : input,
      }),
  },
)

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
