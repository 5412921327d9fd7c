// The part of the schema that says where nodes are found, beside those that the file lists.
import { z } from 'zod'
import { ms } from './fields.ts'
import { nodeTls } from './region-schema.ts'
import { agentFields } from './registry-schema.ts'

const none = z.strictObject({
  driver: z.literal('none').default('none').describe('`none`: the file lists all nodes.'),
})

const consul = z.strictObject({
  driver: z.literal('consul').describe('`consul`: nodes are instances of a service in Consul’s catalogue.'),
  ...agentFields,
  service: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, 'a name of a service, such as chiyuan-node')
    .default('chiyuan-node')
    .describe('Name that the nodes are registered under.'),
  tag: z.string().min(1).max(100).optional().describe('Only instances with this tag. Default: all.'),
  datacenters: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a name of a Consul datacentre, such as dc1'))
    .max(100)
    .refine((names) => new Set(names).size === names.length, 'name each datacentre once')
    .default([])
    .describe('Datacentres whose catalogues are read. Default: the agent’s own.'),
  drainMs: ms(
    0,
    3_600_000,
    60_000,
    'How long a node that is not listed any more is kept for what it has in flight.',
  ),
  tls: nodeTls.optional().describe('By what nodes with `scheme` https are known.'),
})

export const discovery = z.discriminatedUnion('driver', [none, consul])
