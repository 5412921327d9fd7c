// Whose resident's request it is: by path, then header, then host, then the default, as configured.
import type { Config } from '../../config/schema.ts'
import type { Home, Snapshot } from '../model/snapshot.ts'

export interface Resolved {
  readonly home: Home
  /** The path for the node, without the prefix where that is stripped. */
  readonly path: string
  /** What was stripped from the path, to be put before paths that come back. */
  readonly prefix: string
}

export type Unresolved = 'unknown-host' | 'unknown-home'

export type HomeResolver = (
  path: string,
  hostName: string,
  header: (name: string) => string | undefined,
) => Resolved | Unresolved

/** No guess: a request that names a home that we don't know is refused, never sent to another. */
export function homeResolver(config: Config['home'], snapshot: Snapshot): HomeResolver {
  const hosts = new Map(
    Object.entries(config.hosts).map(([host, code]) => [host.toLowerCase().replace(/\.$/, ''), code]),
  )
  const lead = config.pathPrefix?.slice(0, -'{home}'.length)
  return (path, hostName, header) => {
    if (lead !== undefined && path.startsWith(lead))
      return byPath(path, lead, config.stripPathPrefix, snapshot)
    const named = config.header === undefined ? undefined : header(config.header)
    if (named !== undefined) return known(snapshot, named.trim(), path)
    if (hosts.size > 0) {
      const code = hosts.get(hostName)
      return code === undefined ? 'unknown-host' : known(snapshot, code, path)
    }
    return config.default === undefined ? 'unknown-home' : known(snapshot, config.default, path)
  }
}

function byPath(path: string, lead: string, strip: boolean, snapshot: Snapshot): Resolved | Unresolved {
  const end = path.slice(lead.length).search(/[/?]/)
  const code = end === -1 ? path.slice(lead.length) : path.slice(lead.length, lead.length + end)
  const resolved = known(snapshot, code, path)
  if (typeof resolved === 'string' || !strip) return resolved
  const rest = path.slice(lead.length + code.length)
  return { home: resolved.home, path: rest.startsWith('/') ? rest : `/${rest}`, prefix: lead + code }
}

function known(snapshot: Snapshot, code: string, path: string): Resolved | Unresolved {
  const home = snapshot.homes.get(code)
  return home === undefined ? 'unknown-home' : { home, path, prefix: '' }
}
