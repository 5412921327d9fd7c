// A listener's certificate: read from its files, checked, and read again when they change.
import { X509Certificate } from 'node:crypto'
import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createSecureContext } from 'node:tls'
import { errorText, UsageError } from '../model/errors.ts'

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** @throws {UsageError} when a file can't be read or the two are no pair. */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([read(files.certFile), read(files.keyFile)])
  try {
    createSecureContext({ cert, key })
    // Parsed once more by itself: an empty file makes a context without complaint.
    const parsed = new X509Certificate(cert)
    if (Date.parse(parsed.validTo) < Date.now()) throw new Error(`it ended on ${parsed.validTo}`)
  } catch (cause) {
    const why = errorText(cause)
    throw new UsageError(
      `${files.certFile} and ${files.keyFile} can't be used together: ${why}; give a PEM certificate and its own key`,
      { cause },
    )
  }
  return { cert, key }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new UsageError(`${file}: the certificate file can't be read (${String(cause)})`, { cause })
  }
}

const settleMs = 200

/**
 * Calls `changed` with every usable new pair, and `refused` with the reason for every unusable one.
 * Folders are watched, not files: certificates are renewed by renaming.
 * @returns A function that ends the watch.
 */
export function watchCertificate(
  files: CertificateFiles,
  changed: (certificate: Certificate) => void,
  refused: (detail: string) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined
  const reread = (): void => {
    readCertificate(files).then(changed, (cause: unknown) => refused(errorText(cause)))
  }
  const names = new Set([basename(files.certFile), basename(files.keyFile)])
  const folders = new Set([dirname(files.certFile), dirname(files.keyFile)])
  const watchers = [...folders].map((folder) =>
    watch(folder, { persistent: false }, (_event, name) => {
      // Some systems do not say which file; a secret mounted by symbolic links changes by its `..data` entry.
      if (name !== null && !names.has(name) && name !== '..data') return
      clearTimeout(timer)
      timer = setTimeout(reread, settleMs)
      timer.unref()
    }),
  )
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
