// A request of the gateway's own to a node: on a connection of its own, since a node that accepts no new one is down,
// whatever its old ones do.
import { type ClientRequest, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { CodeNode } from '../../model/region.ts'

/** A GET that is ready to be ended; it breaks off when `signal` aborts. */
export function askNode(node: CodeNode, path: string, signal: AbortSignal): ClientRequest {
  const send = node.origin.startsWith('https:') ? httpsRequest : httpRequest
  return send(node.origin + node.basePath + path, {
    agent: false,
    signal,
    headers: { host: node.authority, 'user-agent': 'chiyuan-probe', connection: 'close' },
  })
}
