// Headers that go on to a node: the end-to-end ones as they came, and what the gateway says of the way here.
import type { CodeNode } from '../model/region.ts'
import type { Exchange } from './exchange.ts'

/**
 * A flat list of names and values without framing: body length and connection are the forwarder's.
 * Grows `head.forward` in place, so it is asked for once a request.
 */
export function headersForNode(exchange: Exchange): string[] {
  const { head, peer, view, request } = exchange
  const { gatewayId } = view.config
  const headers = head.forward
  const via = `${request.httpVersion} ${gatewayId}`
  const proto =
    peer.trusted && head.forwardedProto !== null ? head.forwardedProto : peer.secure ? 'https' : 'http'
  const { publicHost } = exchange
  // HTTP/1.0 may come without one; the node is then asked by its own name.
  if (publicHost !== '') headers.push('Host', publicHost)
  headers.push(
    // RFC 9110 section 7.6.3, and RFC 8586: by these the request is known again if it comes back.
    'Via',
    head.via === null ? via : `${head.via}, ${via}`,
    'CDN-Loop',
    head.cdnLoop === null ? gatewayId : `${head.cdnLoop}, ${gatewayId}`,
    'X-Forwarded-For',
    peer.trusted && head.forwardedFor !== null ? `${head.forwardedFor}, ${peer.address}` : peer.address,
    'X-Forwarded-Proto',
    proto,
    'traceparent',
    exchange.traceparent,
    'X-Request-Id',
    exchange.requestId,
  )
  const forwardedHost = peer.trusted && head.forwardedHost !== null ? head.forwardedHost : publicHost
  if (forwardedHost !== '') headers.push('X-Forwarded-Host', forwardedHost)
  if (peer.trusted && head.forwarded !== null) {
    headers.push('Forwarded', `${head.forwarded}, ${forwardedElement(exchange, proto)}`)
  }
  return headers
}

/** One element of RFC 7239. */
function forwardedElement(exchange: Exchange, proto: string): string {
  const { address } = exchange.peer
  const node = address.includes(':') ? `"[${address}]"` : address
  return `for=${node};host="${exchange.publicHost}";proto=${proto}`
}

export const pathAt = (node: CodeNode, path: string): string =>
  node.basePath === '' ? path : node.basePath + path
