// What verifies enrolments, wherever the operators' listener is: with connections and credentials of its own.
import type { Config } from '../../config/schema.ts'
import { NodeConnector } from '../control/node-tls/connect.ts'
import { Credentials } from '../control/node-tls/credentials.ts'
import { Verifier } from '../control/verification/verifier.ts'
import type { Observer } from '../model/events.ts'

/** @param config Read anew for every verification and connection. */
export function openVerifier(
  config: () => Config,
  observer: Pick<Observer, 'reloadRefused'>,
  started: AsyncDisposableStack,
): Verifier {
  const credentials = new Credentials({
    clientCertificates: () => config().clientCertificates,
    // It keeps no connections.
    changed: () => {},
    refused: (detail) => observer.reloadRefused('certificate', detail),
  })
  return started.use(new Verifier(new NodeConnector(credentials), config))
}
