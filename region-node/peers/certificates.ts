// Certificates by which regions know each other: an authority, and what it signs for a region. In memory alone.
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { KeyError } from '../signing/key-error.ts'
import { regionField } from '../verify/fields.ts'
import { certificatePem } from './certificate-form.ts'
import { uriOfRegion } from './identity.ts'

const dayMs = 86_400_000
/** Clocks of regions differ a little; a certificate is good a little before it is made. */
const backdatedMs = 300_000
/** What browsers and their authorities agreed on as the longest; a stolen key serves no longer. */
export const mostPeerDays = 825
export const mostAuthorityDays = 3_660
const mostHosts = 32

/** Both PEM: an X.509 certificate, and a PKCS#8 key that is not sealed. */
export interface KeyedCertificate {
  readonly certificate: string
  readonly privateKey: string
}

const days = (most: number) =>
  z.int().min(1, 'at least 1 day').max(most, `at most ${most} days; renew it instead of making it longer`)

const authorityRequest = z.strictObject({
  name: z
    .string()
    .regex(/^[^\p{C}]{1,64}$/u, 'a name of 1 to 64 characters, none of them a control character'),
  days: days(mostAuthorityDays),
  nowMs: z.number(),
})

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const dnsName = new RegExp(`^(?=.{1,253}$)(?!.*\\.\\d+$)${label}(?:\\.${label})*$`)

/** A DNS name or an IP address under which a region's node is reached. */
export const hostField = z
  .string()
  .refine(
    (text) =>
      (isIP(text) !== 0 && !text.includes('%')) ||
      (isIP(text) === 0 && dnsName.test(text) && !/^\d+$/.test(text)),
    'a DNS name such as node.example or an IP address such as 192.0.2.10, without port, wildcard or zone',
  )

const regionRequest = z.strictObject({
  region: regionField,
  hosts: z
    .array(hostField)
    .min(1, 'at least one name or address at which the node listens')
    .max(mostHosts, `at most ${mostHosts}`),
  days: days(mostPeerDays),
  nowMs: z.number(),
  /** The key that it had, where only the certificate is renewed. */
  privateKey: z.string().optional(),
})

export type AuthorityRequest = z.infer<typeof authorityRequest>
export type RegionRequest = z.infer<typeof regionRequest>

/** An authority that signs certificates of regions and of nothing else. @throws {KeyError} */
export function makeAuthority(request: AuthorityRequest): KeyedCertificate {
  const { name, days: term, nowMs } = checked(authorityRequest, request)
  const { publicKey, privateKey } = newKey()
  const certificate = certificatePem(
    { commonName: name, issuer: null, publicKey, ...termOf(nowMs, term), purpose: 'authority' },
    privateKey,
  )
  return { certificate, privateKey: pkcs8(privateKey) }
}

/**
 * A region's certificate: it may serve and call. Its subject is the division code, for people; what
 * counts is the URI in its subjectAltName.
 *
 * @throws {KeyError} when the request or the authority can't be used: over, of another key, no authority.
 */
export function issueForRegion(authority: KeyedCertificate, request: RegionRequest): KeyedCertificate {
  const { region, hosts, days: term, nowMs, privateKey: kept } = checked(regionRequest, request)
  const issuer = new X509Certificate(authority.certificate)
  const signingKey = keyOf(issuer, authority.privateKey, 'ca-key.pem')
  refuseUnfit(issuer, nowMs + term * dayMs, nowMs)
  const privateKey = kept === undefined ? newKey().privateKey : readKey(kept, 'peer-key.pem')
  const purpose = {
    uri: uriOfRegion(region),
    hosts: [...new Set(hosts)],
    usages: ['serverAuth', 'clientAuth'] as const,
  }
  const certificate = certificatePem(
    { commonName: region, issuer, publicKey: createPublicKey(privateKey), ...termOf(nowMs, term), purpose },
    signingKey,
  )
  return { certificate, privateKey: kept ?? pkcs8(privateKey) }
}

/** @throws {KeyError} unless `privateKey` is the one that `certificate` speaks of. */
export function refuseStrangeKey(certificate: X509Certificate, privateKey: string, file: string): void {
  keyOf(certificate, privateKey, file)
}

function keyOf(certificate: X509Certificate, privateKey: string, file: string): KeyObject {
  const key = readKey(privateKey, file)
  if (certificate.checkPrivateKey(key)) return key
  throw new KeyError(`${file}: it is not the key of the certificate beside it; restore both from one backup`)
}

// The parser's own error could quote what it read.
function readKey(pem: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    throw new KeyError(`${file}: it is no private key in PEM, or it is sealed; restore it from a backup`)
  }
  throw new KeyError(`${file}: it is no key on curve P-256; sign with the tool that it was made with`)
}

function refuseUnfit(issuer: X509Certificate, untilMs: number, nowMs: number): void {
  if (!issuer.ca) throw new KeyError('ca.pem: it is no authority’s certificate; make one: chiyuan peers ca')
  const endMs = issuer.validToDate.getTime()
  if (untilMs <= endMs) return
  const rest = Math.floor((endMs - nowMs) / dayMs)
  throw new KeyError(
    `ca.pem: the authority is valid until ${issuer.validToDate.toISOString()} only; ` +
      (rest < 1
        ? 'make a new one: chiyuan peers ca'
        : `give --days ${rest} or fewer, or make a new one: chiyuan peers ca`),
  )
}

const termOf = (nowMs: number, term: number) => ({
  notBeforeMs: nowMs - backdatedMs,
  notAfterMs: nowMs + term * dayMs,
})

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' })

function checked<T>(schema: z.ZodType<T>, request: T): T {
  const read = schema.safeParse(request)
  if (read.success) return read.data
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.')}: must be ${message}`)
  throw new KeyError(faults.join('; '))
}
