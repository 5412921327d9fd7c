// Who is on the other end of a connection, and what that lets them say and see.
import { BlockList, isIPv6, type Socket } from 'node:net'
import type { PublicRequest } from './http.ts'

export interface Peer {
  /** IP address without the IPv4-in-IPv6 prefix. */
  readonly address: string
  /** Its Forwarded and X-Forwarded-* are believed. */
  readonly trusted: boolean
  /** It is told who answered. */
  readonly operator: boolean
  readonly secure: boolean
}

/** Judges addresses against the configured lists, once a connection. */
export class Peers {
  private readonly trusted: BlockList
  private readonly operators: BlockList
  private readonly known = new WeakMap<Socket, Peer>()

  constructor(trustedProxies: readonly string[], operatorAddresses: readonly string[]) {
    this.trusted = blockList(trustedProxies)
    this.operators = blockList(operatorAddresses)
  }

  of(request: PublicRequest): Peer {
    const { socket } = request
    const known = this.known.get(socket)
    if (known !== undefined) return known
    const raw = socket.remoteAddress ?? ''
    const address = raw.startsWith('::ffff:') ? raw.slice(7) : raw
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    const peer = {
      address,
      trusted: address !== '' && this.trusted.check(address, family),
      operator: address !== '' && this.operators.check(address, family),
      secure: 'encrypted' in socket && socket.encrypted,
    }
    this.known.set(socket, peer)
    return peer
  }
}

/** @param entries Addresses and blocks; the configuration's schema lets no other through. */
function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
