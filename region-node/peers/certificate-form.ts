// A certificate as X.509 writes it (RFC 5280): content and a signing key in, PEM out.
import { createHash, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

export interface CertificateContent {
  readonly commonName: string
  /** The certificate of who signs; null where it signs itself. */
  readonly issuer: X509Certificate | null
  readonly publicKey: KeyObject
  /** Milliseconds since 1970, cut to whole seconds. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** What the key may do: sign certificates of peers, or be one in TLS. */
  readonly purpose: 'authority' | PeerPurpose
}

export interface PeerPurpose {
  readonly uri: string
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[]
  readonly usages: readonly ('serverAuth' | 'clientAuth')[]
}

const commonNameId = '2.5.4.3'
const ecdsaWithSha256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
const usageIds = { serverAuth: id_kp_serverAuth, clientAuth: id_kp_clientAuth }

/** @param signingKey Of the issuer, or of `publicKey` itself; on curve P-256. */
export function certificatePem(content: CertificateContent, signingKey: KeyObject): string {
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: ecdsaWithSha256,
    issuer: content.issuer === null ? named(content.commonName) : partsOf(content.issuer).subject,
    validity: new Validity({
      notBefore: new Date(content.notBeforeMs),
      notAfter: new Date(content.notAfterMs),
    }),
    subject: named(content.commonName),
    subjectPublicKeyInfo: keyInfo(content.publicKey),
    extensions: new Extensions(extensionsOf(content)),
  })
  // Node's signature of an EC key is the DER that X.509 wants (RFC 3279, 2.2.3).
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbs)), signingKey)
  const whole = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: ecdsaWithSha256,
    signatureValue: bytes(signature),
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(whole))).toString()
}

/** 127 bits long, so positive and of one length; 126 of them random. No two certificates of an issuer share one. */
function serialNumber(): ArrayBuffer {
  const serial = randomBytes(16)
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes(serial)
}

const named = (commonName: string): Name =>
  new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({
        type: commonNameId,
        value: new AttributeValue({ utf8String: commonName }),
      }),
    ]),
  ])

const keyInfo = (key: KeyObject): SubjectPublicKeyInfo =>
  AsnConvert.parse(key.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo)

function extensionsOf(content: CertificateContent): Extension[] {
  const { publicKey, issuer, purpose } = content
  const own = keyId(publicKey)
  const of = purpose === 'authority' ? authorityExtensions() : peerExtensions(purpose)
  return [
    ...of,
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(own)),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({
        keyIdentifier: issuer === null ? new SubjectKeyIdentifier(own) : partsOf(issuer).keyId,
      }),
    ),
  ]
}

const authorityExtensions = (): Extension[] => [
  // It signs peers, and no other authorities.
  extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
  extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
]

const peerExtensions = ({ uri, hosts, usages }: PeerPurpose): Extension[] => [
  extension(id_ce_basicConstraints, new BasicConstraints(), true),
  extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
  extension(id_ce_extKeyUsage, new ExtendedKeyUsage(usages.map((usage) => usageIds[usage]))),
  extension(
    id_ce_subjectAltName,
    new SubjectAlternativeName([new GeneralName({ uniformResourceIdentifier: uri }), ...hosts.map(hostName)]),
  ),
]

function hostName(host: string): GeneralName {
  if (isIP(host) === 0) return new GeneralName({ dNSName: host })
  // As a URL writes it: the library takes no IPv6 address that ends in dotted numbers.
  const plain = isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host
  return new GeneralName({ iPAddress: plain })
}

const extension = (extnID: string, value: object, critical = false): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })

/** The issuer's name and key as its own certificate has them, to the byte: chains are built by them. */
function partsOf(issuer: X509Certificate): { subject: Name; keyId: SubjectKeyIdentifier } {
  const { subject, extensions } = AsnConvert.parse(issuer.raw, Certificate).tbsCertificate
  const found = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier)
  return {
    subject,
    keyId:
      found === undefined
        ? new SubjectKeyIdentifier(keyId(issuer.publicKey))
        : AsnConvert.parse(found.extnValue.buffer, SubjectKeyIdentifier),
  }
}

/** SHA-256 over the key info, cut to 160 bits: any value does that no other key has (RFC 5280, 4.2.1.2). */
const keyId = (key: KeyObject): ArrayBuffer =>
  bytes(
    createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest()
      .subarray(0, 20),
  )

/** A copy of its own: a Buffer may lie in a pool that holds others' bytes. */
const bytes = (buffer: Buffer): ArrayBuffer => new Uint8Array(buffer).buffer
