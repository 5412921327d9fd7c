// The closed vocabularies and names of the model, as they go over the wire.
import { z } from 'zod'
import { holdKinds } from '../../model/hold.ts'
import { isNodeId, isRegionId } from '../../model/ids.ts'
import { modes } from '../../model/mode.ts'
import { limitBases } from '../../model/readings.ts'

export const regionIdSchema = z
  .string()
  .refine(isRegionId, 'a region code of six digits, such as 610100')
  .meta({ pattern: '^[1-9]\\d{5}$', example: '610100' })
export const nodeIdSchema = z
  .string()
  .refine(isNodeId, 'a node id: 1 to 64 letters, digits, dots, dashes or underscores')
  .meta({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', example: 'xian-1' })
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
