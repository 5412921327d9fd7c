// Addresses in a node's answer, as the resident must see them: on the public host, below what was stripped from the path.
import type { CodeNode } from '../model/region.ts'
import type { Exchange } from './exchange.ts'

/** A place on the node becomes the same place on the public host; any other stays as it is. */
export function publicLocation(value: string, exchange: Exchange, node: CodeNode): string {
  if (/^(https?:)?\/\//i.test(value)) return publicUrl(value, exchange, node)
  return value.startsWith('/') ? publicPath(value, exchange, node) : value
}

/** The target of a `Refresh`, such as `5; url=/next`. */
export function publicRefresh(value: string, exchange: Exchange, node: CodeNode): string {
  const parts = /^(\s*[\d.]+\s*[;,]?\s*(?:url\s*=\s*)?)(["']?)(.*?)\2\s*$/i.exec(value)
  if (parts === null) return value
  const [, lead = '', quote = '', target = ''] = parts
  return lead + quote + publicLocation(target, exchange, node) + quote
}

/** The targets of a `Link` (RFC 8288), such as `</v1/tests?page=2>; rel=next`. */
export const publicLink = (value: string, exchange: Exchange, node: CodeNode): string =>
  value.replace(/<([^>]*)>/g, (_, target: string) => `<${publicLocation(target, exchange, node)}>`)

/** A domain that is not the public host's own would be refused by a browser, and name the node; the path is put right. */
export function publicCookie(value: string, exchange: Exchange, node: CodeNode): string {
  const publicName = exchange.publicHost.replace(/:\d+$/, '').toLowerCase()
  return value
    .split(';')
    .filter((part, i) => {
      const domain = i === 0 ? undefined : /^\s*domain=\.?(.*)$/i.exec(part)?.[1]?.trim().toLowerCase()
      return domain === undefined || publicName === domain || publicName.endsWith(`.${domain}`)
    })
    .map((part, i) => {
      const path = i === 0 ? null : /^(\s*path=)(\/.*)$/i.exec(part)
      return path?.[2] === undefined ? part : `${path[1]}${publicPath(path[2], exchange, node)}`
    })
    .join(';')
}

function publicUrl(value: string, exchange: Exchange, node: CodeNode): string {
  const scheme = publicScheme(exchange)
  const url = URL.parse(value, `${scheme}://${node.authority}`)
  if (url === null) return value
  const { publicHost } = exchange
  const ofPublic = publicHost !== '' && URL.parse(`${url.protocol}//${publicHost}`)?.host === url.host
  if (!ofPublic && url.host !== node.authority) return value
  const path = publicPath(url.pathname + url.search + url.hash, exchange, node)
  if (publicHost === '') return path
  // Who names the public host by https means it: to take that back would send residents round in circles.
  const secure = scheme === 'https' || (ofPublic && url.protocol === 'https:')
  return `${secure ? 'https' : 'http'}://${publicHost}${path}`
}

/** The scheme by which the resident came, also where a trusted proxy ended the TLS. */
function publicScheme({ peer, head }: Exchange): 'http' | 'https' {
  const said = peer.trusted ? head.forwardedProto?.split(',')[0]?.trim().toLowerCase() : undefined
  if (said === 'https' || said === 'http') return said
  return peer.secure ? 'https' : 'http'
}

function publicPath(path: string, { prefix }: Exchange, node: CodeNode): string {
  const shown = prefix + withoutBase(path, node.basePath)
  // Two slashes at the start would be another host.
  return shown.startsWith('//') ? `/.${shown}` : shown
}

function withoutBase(path: string, base: string): string {
  if (base === '' || !path.startsWith(base)) return path
  const rest = path.slice(base.length)
  if (rest.startsWith('/')) return rest
  return rest === '' || rest.startsWith('?') || rest.startsWith('#') ? `/${rest}` : path
}
