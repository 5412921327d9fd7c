// Where a node may be that came by an enrolment. The file's author has the machine anyhow; an operator of one province
// must not make the gateway speak to itself, to its machine or to the cloud that it runs in.
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'
import { NodeConnectError } from './fault.ts'

/** Whether an enrolled node may be at this IP address. */
export type MayReach = (address: string) => boolean

/** This machine, its links, many at once, what clouds tell of themselves, and IPv4 of these in IPv6 (RFC 6052, RFC 4291). */
const neverUnasked = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '::/96',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  '64:ff9b::/104',
  '64:ff9b::7f00:0/104',
  '64:ff9b::a9fe:0/112',
  '64:ff9b::6464:64c8/128',
  '64:ff9b::c000:c0/128',
]

/** @param networks In CIDR form, the only ones then; of none all but those that nobody enrols in earnest. */
export function mayReachIn(networks: readonly string[]): MayReach {
  const list = new BlockList()
  for (const network of networks.length > 0 ? networks : neverUnasked) {
    const [address = '', bits = ''] = network.split('/')
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return (address) => {
    const [plain = ''] = address.split('%')
    // IPv4 in IPv6 (`::ffff:127.0.0.1`) is judged by the rules for IPv4.
    const isListed = list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
    return isListed === networks.length > 0
  }
}

export const notAllowed = (): NodeConnectError => new NodeConnectError('ADDRESS_NOT_ALLOWED')

/**
 * A look-up of names that knows only allowed addresses. The connection is made by what it says, so that a name which
 * changes after it was verified gains nothing.
 */
export const lookupWithin =
  (mayReach: MayReach): LookupFunction =>
  (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, '')
        return
      }
      const allowed = found.filter(({ address }) => mayReach(address))
      const [first] = allowed
      if (first === undefined) callback(notAllowed(), '')
      else if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }

/** @throws {NodeConnectError} for an address itself, of which no name is looked up. */
export function mustBeAllowed(host: string, mayReach: MayReach): void {
  if (isIP(host) !== 0 && !mayReach(host)) throw notAllowed()
}
