// How a Consul agent is reached and asked, and the token of the moment.
import { readFile } from 'node:fs/promises'
import { errorText } from '../../../model/errors.ts'
import { RegistryUnavailable } from '../port.ts'

export interface ConsulAccess {
  /** Section of the configuration that says so, for messages. Default: `registry`. */
  readonly section?: 'registry' | 'discovery'
  /** Origin of the agent, such as `http://127.0.0.1:8500`. */
  readonly address: string
  /** `null`: the agent's own. */
  readonly datacenter: string | null
  /** Read at every request, so that a rotated token is used from the next one on. */
  readonly tokenFile: string | null
  /** Used where no file is named. */
  readonly token: string | null
  /** PEM files, for https. */
  readonly caFile: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
  /** Deadline of a request, ms. */
  readonly timeoutMs: number
  /** How long a watch waits for a change before it asks again, ms. An agent that hangs goes unnoticed so long. */
  readonly waitMs: number
}

/** @throws {RegistryUnavailable} for a file that can't be used at the moment. */
export async function currentToken({
  section = 'registry',
  tokenFile,
  token,
}: ConsulAccess): Promise<string | null> {
  if (tokenFile === null) return token
  let text: string
  try {
    text = await readFile(tokenFile, 'utf8')
  } catch (cause) {
    throw new RegistryUnavailable(`${section}.tokenFile can't be read: ${errorText(cause)}`, { cause })
  }
  const [read] = /^[!-~]+$/.exec(text.trim()) ?? []
  if (read === undefined) {
    throw new RegistryUnavailable(
      `${section}.tokenFile: ${tokenFile} does not hold one token and nothing else`,
    )
  }
  return read
}
