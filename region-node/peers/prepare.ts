// Certificates of a federation on one machine, made where they are missing and renewed before they are over.
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { KeyError } from '../signing/key-error.ts'
import type { KeyedCertificate } from './certificates.ts'
import {
  createAuthority,
  issueInto,
  peerPathsIn,
  readAuthority,
  readPair,
  refuseStrangeAuthority,
  renewIn,
} from './certificate-files.ts'
import type { PeerPaths } from './certificate-files.ts'

const authorityDays = 365
const peerDays = 30
/** A federation that starts runs on for a while; what would be over by then is renewed. */
const leadMs = 3 * 86_400_000
const hosts = ['127.0.0.1', 'localhost']

/**
 * Makes an authority and one certificate for each region, for 127.0.0.1 and localhost. Meant for a demo:
 * the authority's key lies beside those of the regions. One process at a time.
 *
 * @param folder Gets `authority/`, and a folder named by each region's code; made where it is missing.
 * @returns The files of each region, by its code.
 * @throws {KeyError} when a folder is open to other accounts or can't be written.
 */
export async function preparePeers(
  folder: string,
  regions: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, PeerPaths>> {
  const authority = await authorityIn(join(folder, 'authority'), nowMs)
  const files = new Map<string, PeerPaths>()
  for (const region of regions) {
    const out = join(folder, region)
    await prepareRegion(out, region, authority, nowMs)
    files.set(region, peerPathsIn(out))
  }
  return files
}

async function authorityIn(folder: string, nowMs: number): Promise<KeyedCertificate> {
  const held = await usable(() => readAuthority(folder))
  if (held !== null && outlasts(held, nowMs + peerDays * 86_400_000)) return held
  return createAuthority(folder, { name: 'Chiyuan demo regions', days: authorityDays, nowMs }, 'replace')
}

async function prepareRegion(
  out: string,
  region: string,
  authority: KeyedCertificate,
  nowMs: number,
): Promise<void> {
  const request = { region, hosts, days: peerDays, nowMs }
  const held = await usable(async () => {
    const files = peerPathsIn(out)
    await refuseStrangeAuthority(files.ca, authority)
    return readPair(files)
  })
  if (held !== null && isOf(held, authority)) {
    if (outlasts(held, nowMs + leadMs)) return
    const renewed = await usable(() => renewIn(out, authority, request))
    if (renewed !== null) return
  }
  await issueInto(out, authority, request, 'replace')
}

/** Missing, damaged or read by others: all are answered by a new one, which says itself what stops it. */
async function usable<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof KeyError) return null
    throw cause
  }
}

const outlasts = ({ certificate }: KeyedCertificate, ms: number): boolean =>
  new X509Certificate(certificate).validToDate.getTime() > ms

function isOf(held: KeyedCertificate, authority: KeyedCertificate): boolean {
  const issuer = new X509Certificate(authority.certificate)
  const certificate = new X509Certificate(held.certificate)
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}
