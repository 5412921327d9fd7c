// What is done on a gateway's own files without a gateway: for a lost admin token, and for an audit log from elsewhere.
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { loadConfig } from '../../config/load.ts'
import { tokenByHand } from '../control/access/first-token.ts'
import { makeToken } from '../control/access/token-form.ts'
import { type AuditHead, ChainCheck, type ChainFault } from '../control/audit/chain.ts'
import { Changes } from '../control/changes.ts'
import { openEmbeddedRegistry } from '../control/registry/embedded.ts'
import { UsageError } from '../model/errors.ts'
import { registryFile } from './state.ts'

/**
 * An admin token for all regions, written with its audit record while gateways run or not: whoever may write the file
 * may have one.
 * @throws {UsageError} for a configuration or a registry that can't be used.
 * @throws {RegistryUnavailable}
 */
export async function makeTokenByHand(
  configFile: string,
  env: NodeJS.ProcessEnv,
  reason: string,
): Promise<{ readonly id: string; readonly token: string; readonly registry: string }> {
  const file = registryFile(await loadConfig(configFile, env))
  if (!existsSync(file)) {
    throw new UsageError(
      `${file}: there is no registry; run this in the folder that the gateway runs in, as its user, or set dataDir`,
    )
  }
  await using registry = openEmbeddedRegistry(file)
  const { id, token, kept: secret } = await makeToken()
  const made = { id, name: 'command line', ...secret }
  await new Changes(registry, Date.now).commit(...tokenByHand(made, Date.now(), reason))
  return { id, token, registry: file }
}

/**
 * An exported audit log, JSON Lines, against its own chain.
 * @param anchor A record that must be in it, because somebody kept its hash elsewhere.
 * @param progress Called with the bytes read so far.
 * @returns The last record that is in order; its fault is `null` where the log is whole as far as it goes.
 * @throws The system's error for a file that can't be read.
 */
export async function verifyAuditFile(
  file: string,
  anchor: AuditHead | null,
  progress: (bytes: number) => void,
): Promise<{ readonly head: AuditHead; readonly fault: ChainFault | null }> {
  const stream = createReadStream(file)
  const lines = createInterface({ input: stream, crlfDelay: Infinity })
  const check = new ChainCheck(anchor)
  try {
    for await (const line of lines) {
      if (!check.take(jsonOf(line))) break
      progress(stream.bytesRead)
    }
  } finally {
    stream.destroy()
  }
  return { head: check.head, fault: check.end(null) }
}

/** `undefined` for what is no JSON, which is no audit record either. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
