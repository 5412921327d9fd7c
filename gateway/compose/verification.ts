// What verifies enrolments, wherever the operators' listener is: with connections and credentials of its own.
import type { Config } from '../../config/schema.ts'
import { type MayReach, mayReachIn } from '../control/node-tls/allowed-address.ts'
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
  return started.use(new Verifier(new NodeConnector(credentials, enrolledMayReach(config)), config))
}

/** By the configuration in force, also after a reload. */
export function enrolledMayReach(config: () => Pick<Config, 'enrolment'>): MayReach {
  let { networks } = config().enrolment
  let judge = mayReachIn(networks)
  return (address) => {
    const now = config().enrolment.networks
    if (now !== networks) {
      networks = now
      judge = mayReachIn(now)
    }
    return judge(address)
  }
}
