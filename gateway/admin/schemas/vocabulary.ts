// The closed vocabularies and names of the model, as they go over the wire.
import { z } from 'zod'
import { holdKinds } from '../../model/hold.ts'
import { isNodeId, isRegionId, type NodeId, type RegionId } from '../../model/ids.ts'
import { modes } from '../../model/mode.ts'
import { limitBases } from '../../model/readings.ts'

export const regionIdSchema = z.custom<RegionId>(
  (value) => typeof value === 'string' && isRegionId(value),
  'a region code of six digits, such as 610100',
)
export const nodeIdSchema = z.custom<NodeId>(
  (value) => typeof value === 'string' && isNodeId(value),
  'a node id: 1 to 64 letters, digits, dots, dashes or underscores',
)
export const healthSchema = z.enum(['up', 'down', 'unknown'])
export const breakerSchema = z.enum(['closed', 'open', 'half-open'])
export const holdKindSchema = z.enum(holdKinds)
export const modeSchema = z.enum(modes)
export const limitBasisSchema = z.enum(limitBases)
export const protectionSchema = z.enum(['normal', 'eased', 'shedding', 'closed'])
export const levelNameSchema = z.enum(['local', 'neighbour', 'province', 'nation'])
export const routeClassSchema = z.enum(['critical', 'important', 'deferrable'])
export const verdictSchema = z.enum([
  'ok',
  'held',
  'draining',
  'not-ready-for-home',
  'unhealthy',
  'breaker-open',
  'on-trial',
  'full',
  'reserved',
  'quota-spent',
  'stalled',
  'ramping',
])

/** What a person reads, in both languages. */
export const wordsSchema = z.strictObject({ zh: z.string(), en: z.string() })
