// A node as an instance's Meta describes it. Whoever may register a service may write anything there.
import { isNodeId, isRegionId } from '../model/ids.ts'
import type { NodeTrust } from '../model/node-trust.ts'
import type { CodeNode } from '../model/region.ts'
import { codeNode } from './code-node.ts'

/** An instance as a catalogue lists it. */
export interface Instance {
  readonly serviceId: string
  readonly machine: string
  readonly address: string
  readonly port: number
  readonly meta: Readonly<Record<string, string>>
  readonly health: 'passing' | 'critical' | 'maintenance'
  /** It is there, and nothing of it can be used. */
  readonly isUnreadable: boolean
}

export interface NodeSettings {
  /** This process's part of what a node takes, above 0 to 1. */
  readonly share: number
  /** How the nodes' certificates are judged; `null`: by the system's authorities. */
  readonly trust: NodeTrust | null
}

/** @returns Why it is none. */
export function catalogueNode(
  { serviceId, address, port, meta, isUnreadable }: Instance,
  settings: NodeSettings,
): CodeNode | string {
  if (isUnreadable) return 'its port or another field is of no kind that can be used'
  const { region = '', node = serviceId, scheme = 'http', weight = '1', limit = '' } = meta
  if (!isRegionId(region))
    return `Meta region is "${shown(region)}", it must be a six-digit code such as 610100`
  if (!isNodeId(node))
    return `Meta node is "${shown(node)}", it must be 1 to 64 letters, digits, dots, dashes or underscores`
  if (scheme !== 'http' && scheme !== 'https')
    return `Meta scheme is "${shown(scheme)}", it must be http or https`
  const [parts, places] = [positive(weight), limit === '' ? Infinity : positive(limit)]
  if (parts === null || parts > 1000) return `Meta weight is "${shown(weight)}", it must be above 0 to 1000`
  if (places === null)
    return `Meta limit is "${shown(limit)}", it must be 1 or more requests open at once, or left out`
  if (port === 0) return 'it has no port'
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `its port is ${port}, it must be 1 to 65535`
  const url = `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  if (!hostPattern.test(address) || !URL.canParse(url)) return `its address is "${shown(address)}", no host`
  return codeNode({
    id: node,
    region,
    url,
    weight: parts,
    limit: places === Infinity ? Infinity : Math.max(1, Math.floor(places * settings.share)),
    trust: settings.trust,
    // It may be no more than an enrolled one may: whoever may register a service is not whoever wrote the file.
    isEnrolled: true,
  })
}

/** A name, an IPv4 or an IPv6 address; nothing that would be something else in a URL. */
const hostPattern = /^(?:[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45})$/

function positive(text: string): number | null {
  const value = /^\d{1,7}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0
  return value > 0 ? value : null
}

const mostShown = 64

/** For a person: short, and without characters that would act upon a terminal. */
export function shown(text: string): string {
  const start = text.length > mostShown ? `${text.slice(0, mostShown)}...` : text
  return start.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}
