// A fresh connection to a node for one stream, made before anything is sent, so that a dead node costs nothing.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { CodeNode } from '../../model/region.ts'

/** @throws {Error} when there is no connection within `timeoutMs`. */
export function connectTo(node: CodeNode, timeoutMs: number): Promise<Socket> {
  const url = new URL(node.origin)
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'] })
      : connectTcp({ host, port, noDelay: true })
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)),
      timeoutMs,
    )
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      // A TLS socket is not told when it is made.
      socket.setNoDelay(true)
      socket.removeAllListeners('error')
      // Between here and its use an error only means that the next write fails.
      socket.on('error', () => {})
      resolve(socket)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}
