// Opens the operators' listener, and follows its certificate's files.
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Config } from '../../config/schema.ts'
import { readCertificate, watchCertificate } from '../control/certificate.ts'
import type { Observer } from '../model/events.ts'
import type { adminApp } from './app.ts'

/**
 * Resolves with its port.
 * @throws {UsageError} for a certificate that can't be used; the system's error for a port that is taken.
 */
export async function openAdmin(
  config: Config,
  app: ReturnType<typeof adminApp>,
  observer: Pick<Observer, 'reloadRefused'>,
  started: AsyncDisposableStack,
): Promise<number> {
  const files = config.admin.tls
  const server: Server | TlsServer =
    files === undefined ? createServer(app) : createTlsServer({ ...(await readCertificate(files)) }, app)
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
