// The stage that lets a request in: its framing is unambiguous, it is within bounds, and it has not been here before.
import type { Refusal } from '../../model/events.ts'
import type { Config } from '../../../config/schema.ts'
import type { PublicRequest } from '../http.ts'
import type { RequestHead } from '../request-head.ts'

/** Why the request is turned away, or `null`. */
export function admit(request: PublicRequest, head: RequestHead, config: Config): Refusal | null {
  return bounds(request, head, config) ?? framing(request, head) ?? way(head, config)
}

function bounds(request: PublicRequest, head: RequestHead, { limits }: Config): Refusal | null {
  const { method } = request
  if (method === 'TRACE' || method === 'CONNECT') return 'method'
  if ((request.url ?? '').length > limits.urlBytes) return 'uri-too-long'
  if (head.count > limits.headerCount) return 'too-many-headers'
  if (head.contentLength !== null && Number(head.contentLength) > limits.uploadBytes) return 'body-too-large'
  return null
}

/** RFC 9112 sections 3.2 and 6.1: what two parsers could read differently is refused, never repaired. */
function framing(request: PublicRequest, head: RequestHead): Refusal | null {
  if (head.hostCount > 1) return 'bad-host'
  if (head.host === '' && request.httpVersionMajor >= 1 && request.httpVersion !== '1.0') return 'bad-host'
  if (request.httpVersionMajor < 1) return 'bad-framing'
  if (head.transferEncoding !== null) {
    if (head.contentLength !== null || request.httpVersion === '1.0') return 'bad-framing'
    if (head.transferEncoding.toLowerCase() !== 'chunked') return 'bad-framing'
  }
  if (head.contentLength !== null && !/^\d{1,15}$/.test(head.contentLength)) return 'bad-framing'
  return null
}

/** RFC 8586: `CDN-Loop` holds every gateway passed; our own name there means that regions point at each other. */
function way(head: RequestHead, { gatewayId, limits }: Config): Refusal | null {
  if (head.cdnLoop === null) return null
  const passed = head.cdnLoop.split(',').map((entry) => entry.split(';')[0]?.trim().toLowerCase())
  if (passed.includes(gatewayId.toLowerCase())) return 'loop'
  return passed.length >= limits.maxHops ? 'too-many-hops' : null
}
