// Authorities and client certificates from their files, read again when they have changed. Keys stay in this process.
import { stat, readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { errorText } from '../../model/errors.ts'
import type { NodeTrust } from '../../model/node-trust.ts'
import type { CodeNode } from '../../model/region.ts'
import { trustKey } from '../../policy/code-node.ts'
import { type CertificateFiles, readCertificate } from '../certificate.ts'
import { NodeConnectError } from './fault.ts'

export interface CredentialParts {
  /** Read anew for every connection. */
  clientCertificates(): Readonly<Record<string, CertificateFiles>>
  /** Connections to `node` that stand were made by other files than those of now. */
  changed(node: CodeNode): void
  /** Changed files can't be used; the last that could be are. Told once for each change. */
  refused(detail: string): void
}

interface Known {
  /** Which files, and in which state. */
  readonly stamp: string
  /** What was made of them; the last that was good where they are not. */
  readonly context: SecureContext
}

/**
 * Looks at the files at every new connection: a few calls of `stat` beside a handshake. Probes connect anew each time, so
 * that a renewed certificate is found within a probe's pause; nothing has to be watched or told.
 */
export class Credentials {
  private readonly parts: CredentialParts
  private readonly contexts = new Map<string, Known>()
  /** What the connections of each {@link CodeNode.connectionKey} were made by. */
  private readonly used = new Map<string, SecureContext>()

  constructor(parts: CredentialParts) {
    this.parts = parts
  }

  /** @throws {NodeConnectError} when there is nothing yet that can be used. */
  async contextFor(node: CodeNode, trust: NodeTrust): Promise<SecureContext> {
    const context = await this.current(trust)
    const before = this.used.get(node.connectionKey)
    this.used.set(node.connectionKey, context)
    if (before !== undefined && before !== context) this.parts.changed(node)
    return context
  }

  /** Forgets nodes that are gone. */
  keep(nodes: Iterable<CodeNode>): void {
    const keys = new Set<string>()
    const trusts = new Set<string>()
    for (const { connectionKey, trust } of nodes) {
      keys.add(connectionKey)
      if (trust !== null) trusts.add(trustKey(trust))
    }
    for (const key of this.used.keys()) if (!keys.has(key)) this.used.delete(key)
    for (const key of this.contexts.keys()) if (!trusts.has(key)) this.contexts.delete(key)
  }

  private async current(trust: NodeTrust): Promise<SecureContext> {
    const key = trustKey(trust)
    const known = this.contexts.get(key)
    const pair = this.pairOf(trust)
    const caFile = trust.ca !== null && 'file' in trust.ca ? trust.ca.file : null
    const files = [caFile, pair?.certFile, pair?.keyFile].filter((file) => typeof file === 'string')
    const stamp = (await Promise.all(files.map(stampOf))).join('\n')
    if (known?.stamp === stamp) return known.context
    try {
      const context = await contextOf(trust, caFile, pair)
      this.contexts.set(key, { stamp, context })
      return context
    } catch (cause) {
      if (known === undefined) throw new NodeConnectError('CREDENTIALS', cause, errorText(cause))
      this.contexts.set(key, { stamp, context: known.context })
      this.parts.refused(errorText(cause))
      return known.context
    }
  }

  private pairOf({ clientCertificate }: NodeTrust): CertificateFiles | null {
    if (clientCertificate === null) return null
    const pair = this.parts.clientCertificates()[clientCertificate]
    if (pair !== undefined) return pair
    const said = `client certificate ${clientCertificate} is not listed under clientCertificates of the configuration`
    throw new NodeConnectError('CREDENTIALS', undefined, said)
  }
}

async function contextOf(
  { ca }: NodeTrust,
  caFile: string | null,
  pair: CertificateFiles | null,
): Promise<SecureContext> {
  const own = pair === null ? {} : await readCertificate(pair)
  const authorities = caFile === null ? (ca !== null && 'pem' in ca ? ca.pem : null) : await readFile(caFile)
  if (caFile !== null && authorities?.includes('-----BEGIN CERTIFICATE-----') !== true) {
    throw new Error(`${caFile} holds no certificate; give the authority's as PEM`)
  }
  return createSecureContext({ ...own, ...(authorities !== null && { ca: authorities }) })
}

/** Changes with the file, also where another one took its name. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(file)
    return `${file} ${ino} ${mtimeMs} ${size}`
  } catch (cause) {
    return `${file} ${errorText(cause)}`
  }
}
