// The certificate, key and authority by which this node and its peers know each other, read again when they change.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { watchFiles } from '../authority/changed-files.ts'
import type { RegionNodeLog } from '../options.ts'
import type { PeerPaths } from '../peers/certificate-files.ts'
import { regionOfPeer } from '../peers/identity.ts'
import { StartError } from '../start-error.ts'

/** PEM texts, as TLS takes them. */
export interface PeerMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface PeerFiles extends AsyncDisposable {
  /** Another object after each change. */
  readonly current: PeerMaterial
  /** Called after each change. */
  onChange(changed: (material: PeerMaterial) => void): void
}

/** @throws {StartError} A file can't be read, they do not fit together, or the certificate is not of `region`. */
export async function openPeerFiles(
  paths: PeerPaths,
  { region, log, everyMs }: { region: string; log: RegionNodeLog; everyMs: number },
): Promise<PeerFiles> {
  let current = await read(paths, region)
  const listeners: ((material: PeerMaterial) => void)[] = []
  const watching = watchFiles({
    paths: Object.values(paths),
    everyMs,
    changed: async () => {
      try {
        const next = await read(paths, region)
        if (JSON.stringify(next) === JSON.stringify(current)) return
        current = next
        for (const changed of listeners) changed(next)
      } catch (error) {
        if (!(error instanceof StartError)) throw error
        log.error(
          { reason: error.message },
          'the changed certificate can’t be used; the one held stays in use',
        )
      }
    },
  })
  return {
    get current() {
      return current
    },
    onChange: (changed) => void listeners.push(changed),
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  }
}

async function read(paths: PeerPaths, region: string): Promise<PeerMaterial> {
  const [cert, key, ca] = await Promise.all([text(paths.cert), text(paths.key), text(paths.ca)])
  let named: string | null
  try {
    // TLS takes an empty text for none, and a file that is being written is empty at first.
    if (![cert, key, ca].every((pem) => pem.includes('-----END '))) throw new Error('one is not whole')
    createSecureContext({ cert, key, ca })
    named = regionOfPeer(new X509Certificate(cert).subjectAltName)
  } catch (error) {
    // The cause may quote the key.
    throw new StartError(
      `--peer-cert ${paths.cert}, --peer-key and --peer-ca are no PEM that fits together: ${codeOf(error)}`,
    )
  }
  if (named === region) return { cert, key, ca }
  throw new StartError(
    `--peer-cert ${paths.cert} is of ${named === null ? 'no region' : `region ${named}`}, and this node is of ${region}; ` +
      `make it with: chiyuan peers issue --region ${region}`,
  )
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown'

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new StartError(`${file} can't be read (${codeOf(error)}); make it with: chiyuan peers issue`)
  }
}
