// Nodes behind TLS that a test trusts or not, and a connector to them.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { type CertificateFiles } from '../../gateway/control/certificate.ts'
import { NodeConnector } from '../../gateway/control/node-tls/connect.ts'
import { Credentials } from '../../gateway/control/node-tls/credentials.ts'
import { pinOf } from '../../gateway/control/node-tls/pin.ts'
import type { KeyPair } from './authority.ts'

export const pinOfPair = ({ cert }: KeyPair): string => pinOf(new X509Certificate(cert))

export const connectorWith = (
  certificates: Record<string, CertificateFiles> = {},
  mayReach: (address: string) => boolean = () => true,
): NodeConnector =>
  new NodeConnector(
    new Credentials({ clientCertificates: () => certificates, changed: () => {}, refused: () => {} }),
    mayReach,
  )

export const systemConnector = (): NodeConnector => connectorWith()

export interface TlsNode extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Requests that it has seen, probes included. */
  readonly seen: readonly string[]
  /** Connections open to it now, and all that ever completed a handshake. */
  readonly open: ReadonlySet<TLSSocket>
  readonly handshakes: number
}

export async function tlsNode(
  options: TlsOptions,
  listener: RequestListener = (_, response) => response.end('ok'),
): Promise<TlsNode> {
  const seen: string[] = []
  const open = new Set<TLSSocket>()
  let handshakes = 0
  const server = createServer({ keepAliveTimeout: 60_000, ...options }, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes += 1
    open.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    seen,
    open,
    get handshakes() {
      return handshakes
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
