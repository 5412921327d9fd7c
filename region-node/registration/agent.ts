// Asks the Consul agent of this machine over its HTTP API; what goes wrong is told in words that name no token.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'

export interface AgentPlace {
  /** Origin, such as `http://127.0.0.1:8500`. */
  readonly address: string
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
}

export const defaultAgentAddress = 'http://127.0.0.1:8500'

/** The agent can't be asked or refuses. The message says why and what to look at, and never holds the token. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
}

export interface AgentAnswer {
  readonly status: number
  readonly text: string
}

/** An answer is bounded: what stands at the address may not be Consul. */
const answerBytesAtMost = 4 * 1024 * 1024

export class ConsulAgent implements AsyncDisposable {
  private readonly place: AgentPlace
  private readonly connections: Agent

  /** @throws {AgentError} for TLS files that can't be read. */
  constructor(place: AgentPlace) {
    const { caFile, certFile, keyFile } = place
    this.place = place
    this.connections = new Agent({
      connections: 2,
      maxResponseSize: answerBytesAtMost,
      connect: {
        ...(caFile !== null && { ca: pem(caFile) }),
        ...(certFile !== null && { cert: pem(certFile) }),
        ...(keyFile !== null && { key: pem(keyFile) }),
      },
    })
  }

  /**
   * @param path Below `/v1`, encoded.
   * @returns Whatever the agent answered but a refusal of the token.
   * @throws {AgentError}
   */
  async ask(method: 'GET' | 'PUT', path: string, body?: object): Promise<AgentAnswer> {
    const { address, timeoutMs } = this.place
    const token = await this.token()
    let answer: AgentAnswer
    try {
      const { statusCode, body: content } = await request(`${address.replace(/\/$/, '')}/v1${path}`, {
        method,
        dispatcher: this.connections,
        signal: AbortSignal.timeout(timeoutMs),
        headers: { ...(token !== null && { 'x-consul-token': token }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      answer = { status: statusCode, text: await content.text() }
    } catch (cause) {
      throw new AgentError(`Consul at ${address} ${unreachable(cause, timeoutMs)}`)
    }
    if (answer.status === 401 || answer.status === 403) {
      throw new AgentError(
        `Consul at ${address} refuses the token (${answer.status}: ${shortened(answer.text)}); check the token and its policy`,
      )
    }
    return answer
  }

  /** An answer that is none of those that were to be expected. */
  unexpected(what: string, { status, text }: AgentAnswer): AgentError {
    return new AgentError(
      `Consul at ${this.place.address} answered ${status} when asked to ${what} (${shortened(text)})`,
    )
  }

  /** Cuts what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.connections.destroy()
  }

  private async token(): Promise<string | null> {
    const { tokenFile, token } = this.place
    if (tokenFile === null) return token
    const text = await readFile(tokenFile, 'utf8').catch((cause: unknown) => {
      throw new AgentError(`the file of Consul's token can't be read (${said(cause)})`)
    })
    const [read] = /^[!-~]+$/.exec(text.trim()) ?? []
    if (read !== undefined) return read
    throw new AgentError(`${tokenFile} does not hold one token of Consul's and nothing else`)
  }
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new AgentError(`a PEM file for Consul can't be read (${said(cause)})`)
  }
}

const said = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause)

function unreachable(cause: unknown, timeoutMs: number): string {
  const name = typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : ''
  if (name === 'TimeoutError') return `did not answer within ${timeoutMs} ms; see whether it hangs`
  const code =
    typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : said(cause)
  return `can't be reached (${code}); see whether it runs, and whether the address is right`
}

/** On one line. */
const shortened = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 200)
