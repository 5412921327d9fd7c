// This node's entry in Consul's catalogue, by which gateways find it.
import { type CheckedConsul, isWildcard } from './consul-options.ts'
import { AgentError, ConsulAgent } from './registration/agent.ts'
import type { Entry } from './registration/entry.ts'
import { keepRegistered, type Registration } from './registration/keep.ts'
import type { CheckedOptions, RegionNodeLog } from './options.ts'
import { StartError } from './start-error.ts'
import { version } from './version.ts'

/** A machine may be away for a day; then it is taken out for good. */
const forgottenAfterMinutes = 24 * 60
const checkEveryMs = 2000
const checkTimeoutMs = 1000
/** An agent of this machine answers within milliseconds; a stop waits for two of these at the most. */
const timeoutMs = 2000

export interface NodeAgent {
  /** @param port Of the listener, which must serve by now: Consul asks it. */
  enter(port: number): Registration
}

/**
 * Says nothing to Consul yet; whether it is there shows later and is no hindrance.
 * @returns `null` where the node is to register nowhere.
 * @throws {StartError} for files that can't be used, or a node that could not be found by what it would say.
 */
export function nodeAgent(checked: CheckedOptions, log: RegionNodeLog): (NodeAgent & AsyncDisposable) | null {
  const { consul } = checked
  if (consul === undefined) return null
  if (consul.advertise === undefined && isWildcard(checked.host)) {
    throw new StartError(
      `host ${checked.host} is no address that gateways could be told; say which is, with --consul-address HOST`,
    )
  }
  const agent = openAgent(consul)
  const where = { consul: consul.address }
  return {
    enter: (port) =>
      keepRegistered(agent, entryOf(checked, consul, port), {
        lost: (detail) =>
          log.warn(where, `not in Consul’s catalogue, trying on; residents are served: ${detail}`),
        back: () => log.warn(where, 'in Consul’s catalogue again'),
        left: (detail) => log.warn(where, `could not leave Consul’s catalogue: ${detail}`),
      }),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

function openAgent({ address, tokenFile, token, caFile, certFile, keyFile }: CheckedConsul) {
  try {
    return new ConsulAgent({
      address,
      tokenFile: tokenFile ?? null,
      token: token ?? null,
      caFile: caFile ?? null,
      certFile: certFile ?? null,
      keyFile: keyFile ?? null,
      timeoutMs,
    })
  } catch (cause) {
    if (cause instanceof AgentError) throw new StartError(cause.message, cause)
    throw cause
  }
}

/** What gateways read of a node; see docs/consul.md. */
export function entryOf(
  { host, nodeName, regionCode, limit }: Pick<CheckedOptions, 'host' | 'nodeName' | 'regionCode' | 'limit'>,
  { advertise, weight }: Pick<CheckedConsul, 'advertise' | 'weight'>,
  port: number,
): Entry {
  const address = advertise ?? host
  const authority = address.includes(':') ? `[${address}]` : address
  return {
    service: 'chiyuan-node',
    id: `chiyuan-node-${nodeName}`,
    address,
    port,
    meta: {
      region: regionCode,
      node: nodeName,
      scheme: 'http',
      weight: String(weight),
      limit: String(limit),
      version,
    },
    check: {
      kind: 'http',
      url: `http://${authority}:${port}/readyz`,
      everyMs: checkEveryMs,
      timeoutMs: checkTimeoutMs,
    },
    forgottenAfterMinutes,
  }
}
