// Why a request would go where, as it goes over the wire.
import { z } from 'zod'
import type { Explanation } from '../../policy/explanation.ts'
import { levelNameSchema, nodeIdSchema, regionIdSchema, verdictSchema } from './vocabulary.ts'

const share = z.number().min(0).max(1)

export const explanationSchema: z.ZodType<Explanation> = z.strictObject({
  home: regionIdSchema,
  canRetry: z.boolean(),
  ofOneResident: z.boolean(),
  levels: z.array(
    z.strictObject({
      level: levelNameSchema,
      region: regionIdSchema,
      nodes: z.array(
        z.strictObject({
          node: nodeIdSchema,
          verdict: verdictSchema,
          inFlight: z.number().int().min(0),
          limit: z.number().min(0).nullable(),
          ramp: share,
          firstShare: share,
        }),
      ),
    }),
  ),
  plan: z.array(
    z.strictObject({
      node: nodeIdSchema,
      level: levelNameSchema,
      region: regionIdSchema,
      verdict: verdictSchema,
      why: z.enum(['in-good-standing', 'put-off', 'doubted']),
    }),
  ),
  prospect: z.enum(['served', 'waits', 'nobody']),
  warmShare: share,
})
