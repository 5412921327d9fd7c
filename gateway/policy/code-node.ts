// A node as the router sees it, from how a person describes it.
import type { NodeId, RegionId } from '../model/ids.ts'
import type { NodeTrust } from '../model/node-trust.ts'
import type { CodeNode } from '../model/region.ts'
import { seedOf } from './hash.ts'

export interface NodeDescription {
  readonly id: NodeId
  readonly region: RegionId
  /** `http:` or `https:`, host, port, and a path that is put before every request's. */
  readonly url: string
  readonly weight: number
  /** `Infinity` where none was declared. */
  readonly limit: number
  /** `null`: by the system's authorities and the address's own name. */
  readonly trust: NodeTrust | null
  /** By an operator's enrolment, not by the configuration file. */
  readonly isEnrolled: boolean
}

export function codeNode({ id, region, url, weight, limit, trust, isEnrolled }: NodeDescription): CodeNode {
  const { host, origin, pathname } = new URL(url)
  const terms = origin.startsWith('https:') && trust !== null && demands(trust) ? trust : null
  return Object.freeze({
    id,
    region,
    origin,
    basePath: pathname.replace(/\/+$/, ''),
    authority: host,
    weight,
    limit,
    seed: seedOf(id),
    trust: terms,
    isEnrolled,
    connectionKey: `${isEnrolled ? 'enrolled ' : ''}${origin}${terms === null ? '' : ` ${trustKey(terms)}`}`,
  })
}

/** Whether they say more than the system's authorities and the address's name do. */
export const demands = ({ ca, pins, serverName, clientCertificate }: NodeTrust): boolean =>
  ca !== null || pins.length > 0 || serverName !== null || clientCertificate !== null

/** The same for terms that are the same, in a fixed order of fields. */
export const trustKey = ({ ca, pins, serverName, clientCertificate }: NodeTrust): string =>
  JSON.stringify([ca, pins, serverName, clientCertificate])
