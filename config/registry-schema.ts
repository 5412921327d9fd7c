// The part of the schema that says what keeps operators' decisions.
import { z } from 'zod'
import { ms } from './fields.ts'

const filePath = z.string().min(1)

const embedded = z.strictObject({
  driver: z
    .literal('embedded')
    .default('embedded')
    .describe('`embedded`: one SQLite file, nothing to install, one gateway.'),
  file: filePath.optional().describe('The file. Default: `chiyuan.db` in `dataDir`.'),
})

/** How an agent of Consul is reached and asked. */
export const agentFields = {
  address: z
    .string()
    .refine(
      isOrigin,
      'http:// or https://, a name or an IPv4 address and a port, such as http://127.0.0.1:8500',
    )
    .default('http://127.0.0.1:8500')
    .describe('The Consul agent, best on this machine. `https` where it is not.'),
  tokenFile: filePath
    .optional()
    .describe(
      'File with the ACL token, read at every request: a rotated one needs no restart. Default: the variable `CONSUL_HTTP_TOKEN`, else none.',
    ),
  caFile: filePath
    .optional()
    .describe('Certificates that the agent’s is checked by, PEM. Default: the system’s.'),
  certFile: filePath.optional().describe('Our certificate for the agent, PEM; with `keyFile`.'),
  keyFile: filePath.optional().describe('Its private key, PEM.'),
  timeoutMs: ms(100, 60_000, 5000, 'Deadline of a request to the agent.'),
  waitMs: ms(
    1000,
    600_000,
    10_000,
    'How long a watch waits for a change before it asks anew. An agent that hangs is noticed so late.',
  ),
}

const consul = z.strictObject({
  driver: z.literal('consul').describe('`consul`: Consul’s key-value store, shared by many gateways.'),
  ...agentFields,
  prefix: z
    .string()
    .regex(/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)+$/, 'a path that ends in a slash, such as chiyuan/')
    .default('chiyuan/')
    .describe('Before every key. Gateways that share it are one federation.'),
  advertise: z
    .string()
    .regex(/^[A-Za-z0-9:._-]{1,255}$/, 'a name or an IP address without a port, such as gateway-1.example')
    .optional()
    .describe(
      'Where residents reach this gateway, as Consul tells the others. Default: `public.host`, or the machine’s name where that is all addresses.',
    ),
  datacenter: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a name of a Consul datacentre, such as dc1')
    .optional()
    .describe('Datacentre that keeps the records. Default: the agent’s.'),
  quotaShares: z
    .strictObject({
      leaseSeconds: z
        .int()
        .min(10)
        .max(86_400)
        .default(300)
        .describe(
          'How long a gateway that is cut off keeps its share of what donors lend, in seconds; then it keeps the minimum that is reserved for it. As long the others wait for the share of one that died.',
        ),
      roundMs: ms(200, 2000, 1000, 'Pause between two looks at what the others hold and want.'),
    })
    .prefault({})
    .describe('Donors’ quotas, shared by the gateways of one federation.'),
})

export const registry = z.discriminatedUnion('driver', [embedded, consul])

/** The client knows no IPv6 address. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return /^https?:\/\/[^/?#@[\]]+\/?$/.test(text)
}
