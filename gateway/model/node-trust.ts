// By what the gateway believes that it talks to a node, and by what it makes itself known to it.

/** Terms of TLS to one node. Keys are never in here: a client certificate is named, and the gateway's host holds it. */
export interface NodeTrust {
  /** Authorities to believe; `null`: those of the system. Written out, or the file that holds them. */
  readonly ca: { readonly pem: string } | { readonly file: string } | null
  /**
   * SHA-256 of public keys (SubjectPublicKeyInfo) in base64, as in RFC 7469 section 2.4: the node must have one of them,
   * so that several nodes, and a key and its successor, can stand side by side. Without `ca` they take the place of a
   * chain; with `ca` both must hold. Empty: none is pinned.
   */
  readonly pins: readonly string[]
  /** Name that the node's certificate must carry; `null`: that of its address. */
  readonly serverName: string | null
  /** Name of an entry under `clientCertificates` of the configuration; `null`: none is shown. */
  readonly clientCertificate: string | null
}

/** Base64 of 32 bytes. */
const pinPattern = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/

export const isPin = (text: string): boolean => pinPattern.test(text)
