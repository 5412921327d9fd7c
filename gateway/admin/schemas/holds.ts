// Holds as they go over the wire.
import { z } from 'zod'
import { longestLeaseMs } from '../../control/intent/holds.ts'
import { type Hold, holdKinds } from '../../model/hold.ts'
import { pageQuery } from '../paging.ts'
import { timeText } from '../plane.ts'
import { nodeIdSchema, regionIdSchema } from './vocabulary.ts'

export const reasonField = z
  .string()
  .trim()
  .min(1, 'say why, in a few words')
  .max(2000)
  .describe('Why; stands in the audit log.')
const secondsField = z
  .number()
  .int()
  .min(1)
  .max(longestLeaseMs / 1000)
  .describe('Length of the lease from now; it ends by itself.')

const kindField = z
  .enum(holdKinds)
  .describe(
    '`trip`: sends it nothing. `drain`: lets what is in flight end. `bypass`: ignores what is measured.',
  )

export const newHold = z
  .strictObject({
    kind: kindField,
    node: nodeIdSchema.optional().describe('One node …'),
    region: regionIdSchema.optional().describe('… or all nodes of a region.'),
    reason: reasonField,
    seconds: secondsField,
    override: z.boolean().default(false).describe('Do it although a guard objects; the reason says why.'),
  })
  .refine(({ node, region }) => (node === undefined) !== (region === undefined), {
    message: 'name either a node or a region',
  })

export const changedHold = z.strictObject({
  reason: reasonField,
  seconds: secondsField,
})

export const holdAnswer = z
  .object({
    id: z.string(),
    kind: kindField,
    node: z.string().optional(),
    region: z.string().optional(),
    owner: z.string(),
    reason: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'Hold' })

export const holdsQuery = pageQuery.extend({
  node: nodeIdSchema.optional().describe('Only holds on this node itself.'),
  region: regionIdSchema.optional().describe('Only holds on this region itself.'),
})

export const toHoldAnswer = (hold: Hold, version: number): z.output<typeof holdAnswer> => ({
  id: hold.id,
  kind: hold.kind,
  ...hold.scope,
  owner: hold.owner,
  reason: hold.reason,
  createdAt: timeText(hold.createdAt),
  expiresAt: timeText(hold.expiresAt),
  version,
})
