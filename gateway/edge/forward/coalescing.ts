// When two requests are the same request: the name under which one upstream request may answer both.
import { isSafe } from '../../policy/retry.ts'
import type { Exchange } from '../exchange.ts'
import { headerName } from '../header-names.ts'

/** Names of headers that differ between a resident's own repeats and change nothing in an answer. */
const traces: ReadonlySet<string> = new Set(['x-request-id', 'traceparent', 'tracestate', 'baggage'])

/**
 * Everything that a node could base its answer on, and everything that told the resident: method, address, whence, and
 * every header as it came in, also what does not go on to a node. Whoever differs in any of them does not share. Kept
 * in memory while the request is open, never written down.
 *
 * @returns `null` for a request that is not safe or whose resident is not known.
 */
export function coalescingKey(exchange: Exchange): string | null {
  const { method, resident, home, publicHost, path, peer, request } = exchange
  if (!resident || !isSafe(method)) return null
  // A line break is in none of them: no parser lets one into a header, so no value can pass for the next one's name.
  let key = `${method}\n${home.region.code}\n${exchange.key}\n${publicHost}\n${path}\n${peer.address}\n${peer.secure}`
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    if (!traces.has(name)) key += `\n${name}\n${rawHeaders[i + 1]}`
  }
  return key
}

/** Whether an answer to one of several that asked the same may be given to the others: it starts nobody's session. */
export function isShareable(rawHeaders: readonly (Buffer | string)[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (headerName(rawHeaders[i]).lower === 'set-cookie') return false
  }
  return true
}
