// A request of the gateway's own to a node: on a connection of its own, since a node that accepts no new one is down,
// whatever its old ones do.
import { type ClientRequest, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Socket } from 'node:net'
import type { CodeNode } from '../../model/region.ts'
import type { NodeConnector } from '../node-tls/connect.ts'

/**
 * A GET that is ready to be ended; it breaks off when `signal` aborts. Its connection is given up after `timeoutMs`; the
 * deadline of the answer is its caller's.
 */
export type AskNode = (node: CodeNode, path: string, signal: AbortSignal, timeoutMs: number) => ClientRequest

export const nodeAsker =
  (connector: NodeConnector): AskNode =>
  (node, path, signal, timeoutMs) => {
    const url = node.origin + node.basePath + path
    const headers = { host: node.authority, 'user-agent': 'chiyuan-probe', connection: 'close' }
    const isSecure = node.origin.startsWith('https:')
    // What the file lists and speaks plain HTTP has nobody to prove and may be anywhere.
    if (!isSecure && !node.isEnrolled) return httpRequest(url, { agent: false, signal, headers })
    return (isSecure ? httpsRequest : httpRequest)(url, {
      signal,
      headers,
      createConnection: (_options, made) => {
        connector.connect(node, { timeoutMs, signal }).then(
          (socket) => made(null, socket),
          (cause: unknown) => made(cause instanceof Error ? cause : new Error(String(cause)), new Socket()),
        )
        return undefined
      },
    })
  }
