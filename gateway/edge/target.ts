// The request target (RFC 9112 section 3.2): its path, and the host where it carries one.

export interface Target {
  /** Path and query, beginning with `/`. */
  readonly path: string
  /** Host and port of an absolute target, which then outranks the Host header; else `null`. */
  readonly authority: string | null
}

const absolute = /^https?:\/\/([^/?#]+)([^#]*)$/i

/** @returns `null` where the target is none that a gateway can serve. */
export function parseTarget(url: string): Target | null {
  if (url.charCodeAt(0) === 47 /* slash */) return url.includes('#') ? null : { path: url, authority: null }
  const [, authority, rest = ''] = absolute.exec(url) ?? []
  if (authority === undefined) return null
  return { path: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

const hostPattern = /^(?:([A-Za-z0-9._-]+)|(\[[0-9A-Fa-f:.]+\]))(?::\d{1,5})?$/
const hostNames = new Map<string, string | null>()
const hostNamesAtMost = 1000

/**
 * The host name of a Host header, lower-cased, without its port and a final dot.
 * @returns `null` where it is none (RFC 9112 section 3.2: then the request is refused).
 */
export function hostName(host: string): string | null {
  const known = hostNames.get(host)
  if (known !== undefined) return known
  const match = hostPattern.exec(host)
  const name = match === null ? null : (match[1] ?? match[2] ?? '').toLowerCase().replace(/\.$/, '')
  if (hostNames.size < hostNamesAtMost) hostNames.set(host, name)
  return name
}
