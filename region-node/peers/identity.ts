// Which region a peer's certificate names, read from Node's text of its subjectAltName. Pure.
import { regionField } from '../verify/fields.ts'

const regionUrn = 'urn:chiyuan:region:'

/** The URI in a certificate's subjectAltName that names its region, such as `urn:chiyuan:region:610400`. */
export const uriOfRegion = (region: string): string => `${regionUrn}${region}`

/**
 * The region that a certificate names. It says nothing of who signed the certificate: ask only after
 * TLS has authorized the peer.
 *
 * @param subjectaltname As in `getPeerCertificate().subjectaltname`: `URI:urn:chiyuan:region:610400, DNS:a.example`.
 * @returns The division code; null for none, for two (even equal ones), for one that is not written
 *   exactly as we write it, and for a text that Node would not have made.
 */
export function regionOfPeer(subjectaltname: string | undefined): string | null {
  const names = namesIn(subjectaltname ?? '')
  if (names === null) return null
  const claims = names.filter(({ kind, value }) => kind === 'URI' && claimsRegion(value))
  const [claim] = claims
  if (claim === undefined || claims.length > 1 || !claim.value.startsWith(regionUrn)) return null
  const region = regionField.safeParse(claim.value.slice(regionUrn.length))
  return region.success ? region.data : null
}

/** A URN means the same in capitals (RFC 8141, 3.1), so a second claim can't hide in them. */
const claimsRegion = (uri: string): boolean => uri.toLowerCase().startsWith(regionUrn)

interface Name {
  readonly kind: string
  readonly value: string
}

/**
 * Node writes a name that holds a comma, a quote, a backslash or a control character as a JSON string,
 * since a DNS name of `a, URI:urn:chiyuan:region:610400` would else read as two names (CVE-2021-44532).
 * So a plain value holds none of these, and what stands in quotes is one value whatever it holds.
 */
const name = /([A-Za-z][A-Za-z0-9 ]*):(?:("(?:[^"\\]|\\.)*")|([^\p{Cc}"'\\,]*))(?:, |$)/uy

/** Every name in the text, or null where a part of it is no name: half a list is not trusted. */
export function namesIn(subjectaltname: string): readonly Name[] | null {
  const names: Name[] = []
  let at = 0
  while (at < subjectaltname.length) {
    name.lastIndex = at
    const [whole = '', kind = '', quoted, plain = ''] = name.exec(subjectaltname) ?? []
    if (whole === '') return null
    const value = quoted === undefined ? plain : unquoted(quoted)
    if (value === null) return null
    names.push({ kind, value })
    at += whole.length
  }
  return subjectaltname.endsWith(', ') ? null : names
}

function unquoted(json: string): string | null {
  try {
    return String(JSON.parse(json))
  } catch {
    // An escape that JSON has not: Node did not write it.
    return null
  }
}
