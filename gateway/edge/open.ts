// Opens the residents' listener, and follows its certificate's files.
import type { Config } from '../../config/schema.ts'
import { readCertificate, watchCertificate } from '../control/certificate.ts'
import type { Observer } from '../model/events.ts'
import type { Edge } from './listener.ts'
import { PublicServer } from './server.ts'

/** @throws {UsageError} for a certificate that can't be used; the system's error for a port that is taken. */
export async function openPublic(
  config: Config,
  edge: Edge,
  observer: Observer,
  started: AsyncDisposableStack,
): Promise<{ server: PublicServer; port: number }> {
  const files = config.public.tls
  const certificate = files === undefined ? null : await readCertificate(files)
  const server = new PublicServer(config, certificate, edge, observer)
  const port = await server.listen()
  started.defer(() => server.close(0))
  if (files !== undefined) {
    started.defer(
      watchCertificate(
        files,
        (changed) => server.useCertificate(changed),
        (detail) => observer.reloadRefused('certificate', detail),
      ),
    )
  }
  return { server, port }
}
