// Headers of a node's answer as the resident gets them: whole, in their case and order, and silent about the node.
import type { Level } from '../model/snapshot.ts'
import type { CodeNode } from '../model/region.ts'
import type { Exchange } from './exchange.ts'

type Kind = 'pass' | 'drop' | 'connection' | 'length' | 'location' | 'cookie'

const kindsByName = new Map<string, Kind>([
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  ['alt-svc', 'drop'],
  ['x-request-id', 'drop'],
  ['x-chiyuan-route', 'drop'],
  ['connection', 'connection'],
  ['content-length', 'length'],
  ['location', 'location'],
  ['content-location', 'location'],
  ['refresh', 'location'],
  ['set-cookie', 'cookie'],
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
    const name = latin1(raw[i])
    const lower = lowered(name)
    if (removeFromAnswers.has(lower)) continue
    const kind = kindsByName.get(lower) ?? (lower.startsWith('proxy-') ? 'drop' : 'pass')
    if (kind === 'drop') continue
    const value = latin1(raw[i + 1])
    if (kind === 'pass') headers.push(name, value)
    else if (kind === 'length') contentLength = value
    else if (kind === 'connection') connection = connection === '' ? value : `${connection}, ${value}`
    else if (kind === 'location') headers.push(name, publicLocation(value, exchange, from.node))
    else headers.push(name, publicCookie(value, exchange, from.node))
  }
  headers.push('X-Request-Id', exchange.requestId)
  if (exchange.peer.operator) headers.push('X-Chiyuan-Route', route(exchange, from))
  return { headers: withoutNominated(headers, connection), contentLength }
}

const latin1 = (part: Buffer | string | undefined): string =>
  part === undefined ? '' : typeof part === 'string' ? part : part.toString('latin1')

const loweredNames = new Map<string, string>()

function lowered(name: string): string {
  const known = loweredNames.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (loweredNames.size < 2000) loweredNames.set(name, lower)
  return lower
}

/** RFC 9110 section 7.6.1: what `Connection` names is for this connection alone. */
function withoutNominated(headers: string[], connection: string): string[] {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return headers
  const names = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  return headers.filter((_, i, all) => !names.has((all[i - (i % 2)] ?? '').toLowerCase()))
}

const route = (exchange: Exchange, { node, level, attempts }: AnswerFrom): string =>
  `home=${exchange.home.region.code}; level=${level.name}; region=${level.region}; node=${node.id}; attempts=${attempts}`

/** A place on the node becomes the same place on the public host, with what was stripped from the path. */
export function publicLocation(value: string, exchange: Exchange, node: CodeNode): string {
  const start = value.search(/https?:\/\/|\/\//i)
  const lead = start === -1 ? '' : value.slice(0, start)
  if (start === -1) return value.startsWith('/') ? exchange.prefix + withoutBase(value, node) : value
  const url = URL.parse(value.slice(start), node.origin)
  if (url === null) return value
  const { publicHost } = exchange
  if (url.host !== node.authority && url.host !== publicHost) return value
  const proto = exchange.peer.secure ? 'https' : 'http'
  const path = withoutBase(url.pathname + url.search + url.hash, node)
  return `${lead}${proto}://${publicHost}${exchange.prefix}${path}`
}

const withoutBase = (path: string, node: CodeNode): string =>
  node.basePath !== '' && path.startsWith(`${node.basePath}/`) ? path.slice(node.basePath.length) : path

/** A cookie for the node's own domain becomes one of the public host; its path gets back what was stripped. */
function publicCookie(value: string, exchange: Exchange, node: CodeNode): string {
  const nodeHost = node.authority.replace(/:\d+$/, '')
  const publicName = exchange.publicHost.replace(/:\d+$/, '').toLowerCase()
  return value
    .split(';')
    .filter((part, i) => {
      if (i === 0) return true
      const domain = /^\s*domain=\.?(.*)$/i.exec(part)?.[1]?.trim().toLowerCase()
      if (domain === undefined) return true
      const ofNode = nodeHost === domain || nodeHost.endsWith(`.${domain}`)
      const ofPublic = publicName === domain || publicName.endsWith(`.${domain}`)
      return ofPublic || !ofNode
    })
    .map((part, i) => {
      const path = i === 0 ? undefined : /^(\s*path=)(\/.*)$/i.exec(part)
      if (path?.[2] === undefined) return part
      return `${path[1]}${exchange.prefix}${withoutBase(path[2], node)}`
    })
    .join(';')
}
