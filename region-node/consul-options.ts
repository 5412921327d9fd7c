// What a node can be told of the Consul in whose catalogue it enters itself.
import { z } from 'zod'
import { defaultAgentAddress } from './registration/agent.ts'

export interface ConsulOptions {
  /** Origin of the agent of this machine. Default `http://127.0.0.1:8500`. */
  readonly address?: string
  /** Name or IP address at which gateways reach this node. Default: `host`, which must not be a wildcard then. */
  readonly advertise?: string
  /** Share of its level relative to its siblings, above 0 to 1,000. Default 1. */
  readonly weight?: number
  /** File with the ACL token, read at every request. */
  readonly tokenFile?: string
  /** Used where no file is named. */
  readonly token?: string
  /** PEM files, for https. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

const file = z.string().min(1)

export const consulFields = {
  address: z
    .string()
    .refine(isOrigin, 'must be http:// or https://, a host and a port, such as http://127.0.0.1:8500'),
  advertise: z
    .string()
    .regex(
      /^[A-Za-z0-9:._-]{1,255}$/,
      'must be a name or an IP address without a port, such as node-1.example',
    )
    .refine((host) => !isWildcard(host), 'must be an address that gateways reach, not a wildcard'),
  weight: z
    .number()
    .gt(0)
    .max(1000)
    .refine((value) => /^\d+(?:\.\d{1,3})?$/.test(String(value)), 'must have 3 decimals at the most'),
  file,
} as const

/** Of what may stand under `consul` in a node's options. */
export const consulSchema = z.object({
  address: consulFields.address.default(defaultAgentAddress),
  advertise: consulFields.advertise.optional(),
  weight: consulFields.weight.default(1),
  tokenFile: file.optional(),
  token: z.string().optional(),
  caFile: file.optional(),
  certFile: file.optional(),
  keyFile: file.optional(),
})

export type CheckedConsul = z.output<typeof consulSchema>

function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/?#@]+\/?$/.test(text)
}

/** Listens everywhere, and says nowhere where it is. */
export const isWildcard = (host: string): boolean =>
  host === '0.0.0.0' || /^\[?(?:::|0:0:0:0:0:0:0:0)\]?$/.test(host)
