// How the configuration says that a Consul agent is reached, for whoever asks one.
import type { ConsulAccess } from '../control/registry/consul/access.ts'

type Told = Pick<ConsulAccess, 'address' | 'timeoutMs'> &
  Partial<Record<'tokenFile' | 'caFile' | 'certFile' | 'keyFile', string | undefined>>

/** What the file leaves out is `null`; without `tokenFile` the token is the environment's. */
export const consulAccess = ({ address, timeoutMs, tokenFile, caFile, certFile, keyFile }: Told) => ({
  address,
  timeoutMs,
  tokenFile: tokenFile ?? null,
  token: process.env['CONSUL_HTTP_TOKEN'] ?? null,
  caFile: caFile ?? null,
  certFile: certFile ?? null,
  keyFile: keyFile ?? null,
})
