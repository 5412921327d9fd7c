// Why a node can't be reached or believed, in words that tell its operator what to mend.
import { errorCode, errorText } from '../../model/errors.ts'

const words: Readonly<Record<string, string>> = {
  CONNECT_TIMEOUT: 'it does not take a connection in time',
  ADDRESS_NOT_ALLOWED:
    'its address is one where no enrolled node may be; if it is meant, name its network under enrolment.networks',
  WRONG_PIN: 'its certificate has another public key than the pinned one',
  NO_CERTIFICATE: 'it shows no certificate',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not signed by a trusted authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by a trusted authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by a trusted authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by a trusted authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by a trusted authority',
  CERT_SIGNATURE_FAILURE: 'its certificate is not signed by a trusted authority',
  INVALID_CA: 'its certificate is not signed by a trusted authority',
  CERT_REVOKED: 'its certificate is revoked',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on that port',
}

/** Alerts of RFC 8446 section 6.2 by which a node refuses us; what OpenSSL puts before their names differs by release. */
const alerts: Readonly<Record<string, string>> = {
  CERTIFICATE_REQUIRED: 'it demands a client certificate and was shown none',
  HANDSHAKE_FAILURE: 'it refuses the TLS handshake, as servers do that are shown no client certificate',
  UNKNOWN_CA: 'it does not trust the authority of our client certificate',
  BAD_CERTIFICATE: 'it does not accept our client certificate',
  CERTIFICATE_UNKNOWN: 'it does not accept our client certificate',
  CERTIFICATE_EXPIRED: 'it finds our client certificate expired',
}

const known = (code: string): string | undefined =>
  words[code] ?? alerts[/^ERR_SSL_.*ALERT_(\w+)$/.exec(code)?.[1] ?? '']

/** Nothing was sent. `code` is the system's or OpenSSL's name for it where they have one. */
export class NodeConnectError extends Error {
  override readonly name = 'NodeConnectError'
  readonly code: string

  constructor(code: string, cause?: unknown, said?: string) {
    super(said ?? known(code) ?? code, { cause })
    this.code = code
  }

  static from(cause: unknown): NodeConnectError {
    return cause instanceof NodeConnectError
      ? cause
      : new NodeConnectError(errorCode(cause), cause, wordsOf(cause))
  }
}

const wordsOf = (cause: unknown): string => {
  const code = errorCode(cause)
  const told = known(code)
  return told === undefined ? code || errorText(cause) : `${told} (${code})`
}

/**
 * The same for any failure of a request to a node.
 * @param secure Over TLS: who closes a connection without a word after the handshake may not like our certificate.
 */
export function faultInWords(cause: unknown, secure: boolean): string {
  if (cause instanceof NodeConnectError) return cause.message
  if (secure && errorCode(cause) === 'ECONNRESET') {
    return 'it closed the connection after the TLS handshake, as servers do that do not accept a client certificate (ECONNRESET)'
  }
  return wordsOf(cause)
}
