// The gateways of a federation as they go over the wire.
import { z } from 'zod'
import { peerHealths } from '../../model/membership.ts'
import { gatewayReadingsSchema } from './readings.ts'

const gatewayAnswer = z.strictObject({
  id: z.string().describe('Of its entry in Consul’s catalogue; its `gatewayId` where there is none.'),
  gateway: z.string().describe('Its `gatewayId`.'),
  machine: z.string().nullable().describe('Consul’s name of the machine.'),
  address: z.string().nullable().describe('HOST:PORT at which residents reach it.'),
  adminPort: z.int().nullable(),
  since: z.string().describe('When it was started.'),
  version: z.string(),
  health: z.enum(peerHealths).describe('As Consul judges; of the gateway that is asked its own word.'),
  detail: z.string().describe('Why it is not `passing`.'),
  own: z.boolean().describe('The gateway that is asked.'),
  readings: gatewayReadingsSchema.nullable().describe('What it measures of itself; `null` for the others.'),
})

export const gatewaysAnswer = z.strictObject({
  items: z.array(gatewayAnswer),
  stale: z
    .strictObject({ since: z.string(), detail: z.string() })
    .nullable()
    .describe('`null` while the others can be seen; otherwise what is told of them is as of `since`.'),
})
