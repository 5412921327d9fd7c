// When two requests are the same request: the name under which one upstream request may answer both.
import { isSafe } from '../../policy/retry.ts'
import type { Exchange } from '../exchange.ts'

/** Names of trace headers that differ between a resident's own repeats and change nothing in an answer. */
const traces: ReadonlySet<string> = new Set(['tracestate', 'baggage'])

/**
 * Everything that a node could base its answer on: method, address, whence, and every header that goes on to it,
 * credentials among them. Whoever differs in any of them does not share. Kept in memory while the request is open,
 * never written down.
 *
 * @returns `null` for a request that is not safe or whose resident is not known.
 */
export function coalescingKey(exchange: Exchange): string | null {
  const { method, resident, home, publicHost, path, peer, head } = exchange
  if (!resident || !isSafe(method)) return null
  const from = peer.trusted ? `${head.forwardedFor}\n${head.forwarded}\n${head.forwardedHost}` : ''
  let key = `${method}\n${home.region.code}\n${publicHost}\n${path}\n${peer.address}\n${from}\n${head.forwardedProto}`
  const { forward } = head
  for (let i = 0; i < forward.length; i += 2) {
    const name = (forward[i] ?? '').toLowerCase()
    if (!traces.has(name)) key += `\n${name}\n${forward[i + 1]}`
  }
  return key
}

/** Whether an answer to one of several that asked the same may be given to the others: it starts nobody's session. */
export function isShareable(rawHeaders: readonly (Buffer | string)[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (String(rawHeaders[i]).toLowerCase() === 'set-cookie') return false
  }
  return true
}
