// The one way to a node's port: a fresh connection that stands, and over TLS one whose other end has proved who it is.
import { X509Certificate } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { NodeTrust } from '../../model/node-trust.ts'
import type { CodeNode } from '../../model/region.ts'
import { lookupWithin, type MayReach, mustBeAllowed } from './allowed-address.ts'
import type { Credentials } from './credentials.ts'
import { NodeConnectError } from './fault.ts'
import { pinOf } from './pin.ts'

export interface ConnectBounds {
  readonly timeoutMs: number
  /** Breaks off when it aborts. */
  readonly signal?: AbortSignal
}

export class NodeConnector {
  private readonly credentials: Credentials
  private readonly mayReach: MayReach

  /** @param mayReach Where enrolled nodes may be, asked with every connection. */
  constructor(credentials: Credentials, mayReach: MayReach) {
    this.credentials = credentials
    this.mayReach = mayReach
  }

  /** Those of a node's addresses to which a connection would be made. */
  allowed(node: CodeNode, addresses: readonly string[]): readonly string[] {
    return node.isEnrolled ? addresses.filter((address) => this.mayReach(address)) : addresses
  }

  /**
   * Never falls back to less than the node's trust demands.
   * @throws {NodeConnectError} when there is no connection in time, or the other end is not who it should be.
   */
  async connect(node: CodeNode, bounds: ConnectBounds): Promise<Socket> {
    const { hostname, port, protocol } = new URL(node.origin)
    const secure = protocol === 'https:'
    const host = hostname.replace(/^\[|\]$/g, '')
    if (node.isEnrolled) mustBeAllowed(host, this.mayReach)
    const at = {
      host,
      port: port === '' ? (secure ? 443 : 80) : Number(port),
      ...(node.isEnrolled && { lookup: lookupWithin(this.mayReach) }),
    }
    if (!secure) return standing(connectTcp({ ...at, noDelay: true }), 'connect', bounds, () => {})
    const options = node.trust === null ? {} : await this.optionsFor(node, node.trust)
    // What was named wins over the address; an address that is an IP is no name to be sent (RFC 6066 section 3).
    const named = node.trust?.serverName ?? (isIP(host) === 0 ? host : null)
    const socket = connectTls({
      ...at,
      ...options,
      ...(named !== null && { servername: named }),
      ALPNProtocols: ['http/1.1'],
    })
    return standing(socket, 'secureConnect', bounds, () => {
      if (options.rejectUnauthorized === false && node.trust !== null) checkPinned(socket, node.trust)
    })
  }

  private async optionsFor(node: CodeNode, trust: NodeTrust): Promise<ConnectionOptions> {
    const secureContext = await this.credentials.contextFor(node, trust)
    const { ca, pins } = trust
    if (pins.length === 0) return { secureContext }
    // With pins alone there is no chain to judge; `checkPinned` judges before a byte is sent.
    if (ca === null) return { secureContext, rejectUnauthorized: false }
    return {
      secureContext,
      checkServerIdentity: (name, certificate) => {
        const wrong = checkServerIdentity(name, certificate)
        return wrong ?? (pins.includes(pinOf(new X509Certificate(certificate.raw))) ? undefined : wrongPin())
      },
    }
  }
}

/** @throws {NodeConnectError} */
function checkPinned(socket: TLSSocket, { pins, serverName }: NodeTrust): void {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw new NodeConnectError('NO_CERTIFICATE')
  if (!pins.includes(pinOf(certificate))) throw wrongPin()
  const now = Date.now()
  if (now > Date.parse(certificate.validTo)) throw new NodeConnectError('CERT_HAS_EXPIRED')
  if (now < Date.parse(certificate.validFrom)) throw new NodeConnectError('CERT_NOT_YET_VALID')
  if (serverName !== null && certificate.checkHost(serverName) === undefined) {
    throw new NodeConnectError('ERR_TLS_CERT_ALTNAME_INVALID')
  }
}

const wrongPin = (): NodeConnectError => new NodeConnectError('WRONG_PIN')

/** Resolves with `socket` once it stands and `judge` does not throw. */
function standing(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { timeoutMs, signal }: ConnectBounds,
  judge: () => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const fail = (cause: unknown): void => {
      settle()
      socket.destroy()
      reject(NodeConnectError.from(cause))
    }
    const abort = (): void => fail(new NodeConnectError('ABORTED'))
    const timer = setTimeout(() => fail(new NodeConnectError('CONNECT_TIMEOUT')), timeoutMs)
    if (signal?.aborted === true) {
      abort()
      return
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.on('error', fail)
    const closed = (): void => fail(new NodeConnectError('ECONNRESET'))
    socket.once('close', closed)
    socket.once(event, () => {
      try {
        judge()
      } catch (cause) {
        fail(cause)
        return
      }
      settle()
      // A TLS socket is not told when it is made.
      socket.setNoDelay(true)
      socket.off('close', closed)
      socket.off('error', fail)
      // Between here and its use an error only means that the next write fails.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
