// Headers of a node's answer as the resident gets them: whole, in their case and order, and silent about the node.
import type { Level } from '../model/snapshot.ts'
import type { CodeNode } from '../model/region.ts'
import type { Exchange } from './exchange.ts'
import { headerName, nominatedBy, withoutNames } from './header-names.ts'
import { publicCookie, publicLink, publicLocation, publicRefresh } from './public-address.ts'

type Rewrite = (value: string, exchange: Exchange, node: CodeNode) => string

type Kind = 'pass' | 'drop' | 'connection' | 'length' | Rewrite

const kindsByName = new Map<string, Kind>([
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  ['http2-settings', 'drop'],
  ['alt-svc', 'drop'],
  ['x-request-id', 'drop'],
  ['x-chiyuan-route', 'drop'],
  ['connection', 'connection'],
  ['content-length', 'length'],
  ['location', publicLocation],
  ['content-location', publicLocation],
  ['refresh', publicRefresh],
  ['link', publicLink],
  ['set-cookie', publicCookie],
])

export interface AnswerFrom {
  readonly node: CodeNode
  readonly level: Level
  /** Tries so far, this one included. */
  readonly attempts: number
}

export interface AnswerHeaders {
  readonly headers: string[]
  /** As the node declared it; not among `headers`, since framing is the sender's. */
  readonly contentLength: string | null
}

/** @param raw Flat list of names and values, as bytes or text, as they came from the node. */
export function headersForResident(
  raw: readonly (Buffer | string)[],
  exchange: Exchange,
  from: AnswerFrom,
): AnswerHeaders {
  const { removeFromAnswers } = exchange.view
  const headers: string[] = []
  let contentLength: string | null = null
  let connection = ''
  for (let i = 0; i < raw.length; i += 2) {
    const { name, lower } = headerName(raw[i])
    if (removeFromAnswers.has(lower)) continue
    const kind = kindsByName.get(lower) ?? (lower.startsWith('proxy-') ? 'drop' : 'pass')
    if (kind === 'drop') continue
    const value = latin1(raw[i + 1])
    if (kind === 'pass') headers.push(name, value)
    else if (kind === 'length') contentLength = value
    else if (kind === 'connection') connection = connection === '' ? value : `${connection}, ${value}`
    else headers.push(name, kind(value, exchange, from.node))
  }
  headers.push('X-Request-Id', exchange.requestId)
  if (exchange.peer.operator) headers.push('X-Chiyuan-Route', route(exchange, from))
  return { headers: withoutNames(headers, nominatedBy(connection)), contentLength }
}

/** What a browser heeds of an interim answer's headers, such as early hints; anything else could tell who gave it. */
export function interimForResident(
  received: Record<string, string | string[]>,
  exchange: Exchange,
  node: CodeNode,
): Record<string, string> {
  const headers: Record<string, string> = {}
  const link = received['link']
  if (link !== undefined) headers['link'] = publicLink([link].flat().join(', '), exchange, node)
  const policy = received['content-security-policy']
  if (policy !== undefined) headers['content-security-policy'] = [policy].flat().join(', ')
  return headers
}

const latin1 = (part: Buffer | string | undefined): string =>
  part === undefined ? '' : typeof part === 'string' ? part : part.toString('latin1')

const route = (exchange: Exchange, { node, level, attempts }: AnswerFrom): string =>
  `home=${exchange.home.region.code}; level=${level.name}; region=${level.region}; node=${node.id}; attempts=${attempts}`
