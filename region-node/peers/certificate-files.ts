// Files of an authority and of a region's certificate: keys 0600 in a folder 0700, each file whole or as it was.
import { randomBytes, X509Certificate } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { orExplain, prepareKeyFolder, readPrivate, syncFolder, writeThrough } from '../signing/key-folder.ts'
import { KeyError } from '../signing/key-error.ts'
import { issueForRegion, makeAuthority, refuseStrangeKey } from './certificates.ts'
import type { AuthorityRequest, KeyedCertificate, RegionRequest } from './certificates.ts'
import { namesIn, regionOfPeer } from './identity.ts'

/** Where a region's node finds what it needs for TLS with others. */
export interface PeerPaths {
  /** Its own certificate. */
  readonly cert: string
  readonly key: string
  /** The authorities whose certificates it believes; there may be several in it. */
  readonly ca: string
}

export const peerPathsIn = (folder: string): PeerPaths => ({
  cert: join(folder, 'peer.pem'),
  key: join(folder, 'peer-key.pem'),
  ca: join(folder, 'ca.pem'),
})

export const authorityPathsIn = (folder: string): Omit<PeerPaths, 'ca'> => ({
  cert: join(folder, 'ca.pem'),
  key: join(folder, 'ca-key.pem'),
})

/** `replace`: with a new key, over what is there. */
export type Writing = 'new' | 'replace'

/** @throws {KeyError} when there is one already and `writing` is `new`, or the files can't be written. */
export async function createAuthority(
  folder: string,
  request: AuthorityRequest,
  writing: Writing,
): Promise<KeyedCertificate> {
  const made = makeAuthority(request)
  await prepareKeyFolder(folder)
  await writePair(authorityPathsIn(folder), made, writing)
  await syncFolder(folder)
  return made
}

/** @throws {KeyError} when there is none, its key is open to other accounts, or is of another certificate. */
export async function readAuthority(folder: string): Promise<KeyedCertificate> {
  const files = authorityPathsIn(folder)
  if (!(await isThere(files.key))) {
    throw new KeyError(`${folder}: there is no authority; make one with: chiyuan peers ca --dir '${folder}'`)
  }
  return readPair(files)
}

/** Issues a certificate with a new key into `out`. @throws {KeyError} */
export async function issueInto(
  out: string,
  authority: KeyedCertificate,
  request: Omit<RegionRequest, 'privateKey'>,
  writing: Writing,
): Promise<string> {
  const made = issueForRegion(authority, request)
  const files = peerPathsIn(out)
  await prepareKeyFolder(out)
  await refuseAuthoritysFolder(out)
  await writePair(files, made, writing)
  await putInPlace(files.ca, authority.certificate, 0o644)
  await syncFolder(out)
  return made.certificate
}

/**
 * Puts a new certificate for the same key in place of the one in `out`, by one rename, so that whoever
 * reads the folder meanwhile finds a pair that fits. Hosts stay as they are where none are given.
 *
 * @throws {KeyError} when there is none to renew, it is another region's, or `ca.pem` lacks the authority.
 */
export async function renewIn(
  out: string,
  authority: KeyedCertificate,
  request: Omit<RegionRequest, 'privateKey' | 'hosts'> & { readonly hosts: readonly string[] | null },
): Promise<string> {
  const files = peerPathsIn(out)
  if (!(await isThere(files.cert))) {
    throw new KeyError(`${files.cert}: there is none to renew; issue one without --renew`)
  }
  const held = await readPair(files)
  const { subjectAltName } = new X509Certificate(held.certificate)
  const region = regionOfPeer(subjectAltName)
  if (region !== request.region) {
    throw new KeyError(
      `${files.cert}: it is ${region === null ? 'no region’s' : `that of ${region}`}; ` +
        `give --region ${region ?? 'and --force'}, or another --out`,
    )
  }
  await refuseStrangeAuthority(files.ca, authority)
  const hosts = request.hosts ?? hostsIn(subjectAltName)
  const made = issueForRegion(authority, { ...request, hosts: [...hosts], privateKey: held.privateKey })
  await putInPlace(files.cert, made.certificate, 0o644)
  await syncFolder(out)
  return made.certificate
}

/** @throws {KeyError} when one is missing, the key is open to other accounts, or they do not fit. */
export async function readPair(files: Omit<PeerPaths, 'ca'>): Promise<KeyedCertificate> {
  const { text: privateKey } = await readPrivate(files.key)
  const certificate = await readCertificate(files.cert)
  refuseStrangeKey(new X509Certificate(certificate), privateKey, files.key)
  return { certificate, privateKey }
}

const mostCertificateBytes = 262_144

/** The file's text, which begins with a certificate that can be read. @throws {KeyError} */
export async function readCertificate(file: string): Promise<string> {
  const { size } = await orExplain(file, 'reading it failed', () => stat(file))
  if (size > mostCertificateBytes)
    throw new KeyError(`${file}: ${size} bytes are no certificate; name its PEM file`)
  const text = await orExplain(file, 'reading it failed', () => readFile(file, 'utf8'))
  if (certificatesIn(text).length > 0) return text
  throw new KeyError(
    `${file}: there is no certificate in it; name a PEM file that holds one, such as peer.pem`,
  )
}

/** Every certificate in a PEM text; none where one of them can't be read. */
export function certificatesIn(text: string): readonly X509Certificate[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    return found.map((pem) => new X509Certificate(pem))
  } catch {
    // Node's error is OpenSSL's code, of no use to a person; the caller names the file.
    return []
  }
}

/** The DNS names and IP addresses in a subjectAltName. */
export const hostsIn = (subjectAltName: string | undefined): readonly string[] =>
  (namesIn(subjectAltName ?? '') ?? [])
    .filter(({ kind }) => kind === 'DNS' || kind === 'IP Address')
    .map(({ value }) => value)

// A node that held the authority's key could make itself any region.
async function refuseAuthoritysFolder(out: string): Promise<void> {
  if (!(await isThere(authorityPathsIn(out).key))) return
  throw new KeyError(`${out}: the authority's own key lies there, which no node may hold; give another --out`)
}

/**
 * First believed by all, then used: else others refuse this region from the moment it has the new certificate.
 *
 * @throws {KeyError} when `authority` is not among the certificates in `file`.
 */
export async function refuseStrangeAuthority(file: string, authority: KeyedCertificate): Promise<void> {
  const { fingerprint256 } = new X509Certificate(authority.certificate)
  const believed = certificatesIn(await readCertificate(file))
  if (believed.some((each) => each.fingerprint256 === fingerprint256)) return
  throw new KeyError(
    `${file}: the authority that issues now is not in it; add its ca.pem to this file at every region, then renew`,
  )
}

async function writePair(
  files: Omit<PeerPaths, 'ca'>,
  made: KeyedCertificate,
  writing: Writing,
): Promise<void> {
  if (writing === 'new') await reserve(files)
  await putInPlace(files.key, made.privateKey, 0o600)
  await putInPlace(files.cert, made.certificate, 0o644)
  const written = await readPair(files)
  if (written.certificate === made.certificate) return
  throw new KeyError(`${files.cert}: another process wrote it at the same time; issue it again with --force`)
}

/** Of two processes one makes the key's file; a rename alone would let both believe that theirs is there. */
async function reserve({ cert, key }: Omit<PeerPaths, 'ca'>): Promise<void> {
  const taken = (file: string) =>
    new KeyError(
      `${file}: there is one already; keep it, renew a region's with --renew, or replace it and its key with --force`,
    )
  if (await isThere(cert)) throw taken(cert)
  const reserved = await orExplain(key, 'writing it failed', async () => {
    try {
      return await open(key, 'wx', 0o600)
    } catch (cause) {
      if (isCode(cause, 'EEXIST')) return null
      throw cause
    }
  })
  if (reserved === null) throw taken(key)
  await reserved.close()
}

async function putInPlace(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.draft-${randomBytes(6).toString('hex')}`
  try {
    await orExplain(draft, 'writing it failed', () => writeThrough(draft, text, mode))
    await orExplain(file, 'writing it failed', () => rename(draft, file))
  } finally {
    await rm(draft, { force: true })
  }
}

export const isThere = (file: string): Promise<boolean> =>
  orExplain(file, 'looking for it failed', async () => {
    try {
      await stat(file)
      return true
    } catch (cause) {
      if (isCode(cause, 'ENOENT')) return false
      throw cause
    }
  })

const isCode = (cause: unknown, code: string): boolean =>
  typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === code
