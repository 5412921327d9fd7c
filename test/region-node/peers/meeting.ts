// Two regions that meet over TLS on 127.0.0.1, as they would between cities: what each says of the other.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { connect, createServer } from 'node:tls'
import { errorCode } from '../../../gateway/model/errors.ts'
import { regionOfPeer } from '../../../region-node/peers/identity.ts'

export interface Side {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface Met {
  /** What the server says of the client, null where the client heard nothing. */
  readonly server: string | null
  /** What the client says of the server: its region, or why it hung up. */
  readonly client: string
}

/**
 * @param options.servername Under which the client calls; 127.0.0.1 where it is not given.
 * @param options.strict Whether the server hangs up on whom it does not believe, instead of telling why.
 */
export async function meet(
  server: Side,
  client: Partial<Side>,
  options: { servername?: string; strict?: boolean } = {},
): Promise<Met> {
  const { strict = false, ...name } = options
  const listener = createServer({ ...server, requestCert: true, rejectUnauthorized: strict }, (socket) => {
    socket.on('error', () => {})
    const { subjectaltname } = socket.getPeerCertificate()
    socket.end(
      socket.authorized
        ? String(regionOfPeer(subjectaltname))
        : `refused: ${String(socket.authorizationError)}`,
    )
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on a port')
  const socket = connect({ ...client, ...name, host: '127.0.0.1', port: address.port })
  try {
    let seen = 'nobody'
    socket.once('secureConnect', () => {
      seen = String(regionOfPeer(socket.getPeerCertificate().subjectaltname))
    })
    const heard = await text(socket).catch((cause: unknown) => {
      if (seen === 'nobody') seen = errorCode(cause)
      return ''
    })
    return { server: heard === '' ? null : heard, client: seen }
  } finally {
    socket.destroy()
    const closed = once(listener, 'close')
    listener.close()
    await closed
  }
}
