// Operators' holds as they stand in the registry.
import { z } from 'zod'
import { type Hold, holdKinds } from '../../model/hold.ts'
import { isNodeId, isRegionId } from '../../model/ids.ts'

export const holdPrefix = 'intent/holds/'

/** Longest lease, ms: a week. Who needs more says so again. */
export const longestLeaseMs = 7 * 24 * 3_600_000

const time = z.number().int().positive()
const scope = z.union([
  z.strictObject({ node: z.string().refine(isNodeId, 'a node id') }),
  z.strictObject({ region: z.string().refine(isRegionId, 'a region code of six digits') }),
])

export const holdSchema: z.ZodType<Hold> = z.strictObject({
  id: z.string().min(1).max(64),
  kind: z.enum(holdKinds),
  scope,
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(2000),
  createdAt: time,
  expiresAt: time,
})
