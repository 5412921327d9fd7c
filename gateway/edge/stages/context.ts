// The stage that says what a request is: whose home's, which resident's, by which name it is followed.
import type { Refusal } from '../../model/events.ts'
import { isRepeatable } from '../../policy/retry.ts'
import type { Exchange } from '../exchange.ts'
import type { PublicRequest, PublicResponse } from '../http.ts'
import type { RequestHead } from '../request-head.ts'
import { hostName, parseTarget } from '../target.ts'
import { newTraceId, requestIdFor, traceparentFor } from '../trace.ts'
import type { View } from '../view.ts'

export interface Arrival {
  readonly request: PublicRequest
  readonly response: PublicResponse
  readonly head: RequestHead
  readonly view: View
  readonly traceId: string
  readonly startedAt: number
}

export const newArrival = (
  request: PublicRequest,
  response: PublicResponse,
  head: RequestHead,
  view: View,
): Arrival => ({ request, response, head, view, traceId: newTraceId(), startedAt: performance.now() })

/** The request with its home and resident, or why it has none. */
export function contextOf(arrival: Arrival): Exchange | Refusal {
  const { request, response, head, view, traceId } = arrival
  const target = parseTarget(request.url ?? '')
  if (target === null) return 'bad-target'
  const publicHost = target.authority ?? head.host
  const name = publicHost === '' ? '' : hostName(publicHost)
  if (name === null || (target.authority !== null && head.host !== '' && hostName(head.host) === null)) {
    return 'bad-host'
  }
  const header = (wanted: string): string | undefined => headerOf(request, wanted)
  const resolved = view.resolveHome(target.path, name, header)
  if (typeof resolved === 'string') return resolved
  // Before anything is made of the address: a number goes into no key, hash or class.
  const hidden = view.hide === null ? null : view.hide(request, head, resolved.path, publicHost)
  if (typeof hidden === 'string') return hidden
  const path = hidden === null ? resolved.path : hidden.path
  const resident = view.residentKey(path, header, head.cookie)
  const method = request.method ?? 'GET'
  return {
    request,
    response,
    view,
    home: resolved.home,
    method,
    path,
    hideInBody: hidden === null ? null : hidden.hideInBody,
    prefix: resolved.prefix,
    publicHost,
    head,
    peer: view.peers.of(request),
    key: resident ?? Math.floor(Math.random() * 0x1_0000_0000),
    resident: resident !== null,
    routeClass: view.classify(method, path),
    repeatable: isRepeatable(method, head.idempotencyKey),
    requestId: requestIdFor(head.requestId, traceId),
    traceparent: traceparentFor(head.traceparent, traceId),
    startedAt: arrival.startedAt,
  }
}

function headerOf(request: PublicRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
