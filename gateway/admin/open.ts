// Opens the operators' listener, and follows its certificate's files.
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Config } from '../../config/schema.ts'
import { readCertificate, watchCertificate } from '../control/certificate.ts'
import type { Observer } from '../model/events.ts'
import type { adminApp } from './app.ts'

/**
 * Operators are few and send little. Whoever holds a connection without a whole request, or asks nothing any more, is
 * let go of, so that a flood from one machine leaves room again within seconds.
 */
export interface ListenerBounds {
  /** Request line and headers together, bytes; more is answered with 431. */
  readonly maxHeaderSize: number
  /** ms from the connection, or the end of the request before, to the last header; then 408. */
  readonly headersTimeout: number
  /** ms until the body is there too. */
  readonly requestTimeout: number
  /** ms. */
  readonly keepAliveTimeout: number
  /** How often the two are looked at, ms. */
  readonly connectionsCheckingInterval: number
  /** Beyond these, new ones are closed at once. */
  readonly connections: number
}

export const listenerBounds: ListenerBounds = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 2000,
  connections: 512,
}
/** ms. */
const handshakeTimeout = 10_000

/**
 * Resolves with its port.
 * @throws {UsageError} for a certificate that can't be used; the system's error for a port that is taken.
 */
export async function openAdmin(
  config: Config,
  app: ReturnType<typeof adminApp>,
  observer: Pick<Observer, 'reloadRefused'>,
  started: AsyncDisposableStack,
  { connections, ...bounds }: ListenerBounds = listenerBounds,
): Promise<number> {
  const files = config.admin.tls
  const server: Server | TlsServer =
    files === undefined
      ? createServer(bounds, app)
      : createTlsServer({ ...(await readCertificate(files)), ...bounds, handshakeTimeout }, app)
  server.maxConnections = connections
  // Node would leave out what is beyond its count, an If-Match perhaps; the bytes are bounded above.
  server.maxHeadersCount = 0
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: config.admin.host, port: config.admin.port }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : config.admin.port)
    })
  })
  started.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  if (files !== undefined && server instanceof TlsServer) {
    started.defer(
      watchCertificate(
        files,
        (changed) => server.setSecureContext({ ...changed }),
        (detail) => observer.reloadRefused('certificate', detail),
      ),
    )
  }
  return port
}
