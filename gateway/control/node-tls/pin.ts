// A public key's fingerprint, as enrolments and the configuration pin it.
import { createHash, type X509Certificate } from 'node:crypto'

/** SHA-256 of the certificate's SubjectPublicKeyInfo in base64 (RFC 7469 section 2.4). */
export const pinOf = ({ publicKey }: X509Certificate): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
