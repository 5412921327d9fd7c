// The identity provider's published keys: fetched within bounds, and the last good ones kept while it can't be reached,
// as the disaster that operators must act in may have taken it too.
import { Agent, request } from 'undici'
import { z } from 'zod'
import { errorText } from '../../model/errors.ts'

export interface KeyTimings {
  /** A key that is not known is looked for again at the most so often, ms. */
  readonly cooldownMs: number
  /** Age at which the keys are fetched anew, ms. */
  readonly maxAgeMs: number
  /** Pause after a failure, ms. */
  readonly retryMs: number
  /** For so long keys that could not be fetched anew still hold, ms. */
  readonly keepMs: number
  /** For one answer of the provider, ms. */
  readonly timeoutMs: number
}

/** Nothing is known of the provider's keys, or only what is too old. */
export class KeysUnreachable extends Error {
  override readonly name = 'KeysUnreachable'
}

const bytesAtMost = 262_144
const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })
const metadata = z.looseObject({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

export interface ProviderAddress {
  readonly issuer: string
  /** Looked for in the issuer's metadata where it is not given. */
  readonly jwksUri: string | undefined
  /** Authorities, PEM; the system's where it is not given. */
  readonly ca: string | undefined
}

export class ProviderKeys implements AsyncDisposable {
  private readonly address: ProviderAddress
  private readonly timings: KeyTimings
  private readonly wallNow: () => number
  private readonly agent: Agent
  private last: { readonly text: string; readonly at: number } | null = null
  private failure: { readonly detail: string; readonly at: number } | null = null

  constructor(address: ProviderAddress, timings: KeyTimings, wallNow: () => number) {
    this.address = address
    this.timings = timings
    this.wallNow = wallNow
    const { ca } = address
    this.agent = new Agent({
      connections: 2,
      connect: { timeout: timings.timeoutMs, ...(ca !== undefined && { ca }) },
    })
  }

  /** Why the provider could not be asked last, so that it may have keys that are not known here; else `null`. */
  get fault(): string | null {
    return this.failure?.detail ?? null
  }

  /** The key set as JSON. @throws {KeysUnreachable} */
  async fetch(): Promise<string> {
    const now = this.wallNow()
    if (this.failure === null || now - this.failure.at >= this.timings.retryMs) {
      try {
        const text = await this.get(this.address.jwksUri ?? (await this.discovered()))
        keySet.parse(JSON.parse(text))
        this.last = { text, at: now }
        this.failure = null
        return text
      } catch (cause) {
        this.failure = { detail: errorText(cause), at: now }
      }
    }
    if (this.last !== null && now - this.last.at <= this.timings.keepMs) return this.last.text
    throw new KeysUnreachable(this.failure.detail)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.agent.destroy()
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  private async discovered(): Promise<string> {
    const { issuer } = this.address
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const found = metadata.parse(JSON.parse(await this.get(url)))
    if (found.issuer !== issuer) throw new Error(`the metadata at ${url} is another issuer’s`)
    if (issuer.startsWith('https:') && !found.jwks_uri.startsWith('https:')) {
      throw new Error(`the metadata at ${url} names keys that come in the clear`)
    }
    return found.jwks_uri
  }

  /** No redirects: keys come from where the configuration says. */
  private async get(url: string): Promise<string> {
    const signal = AbortSignal.timeout(this.timings.timeoutMs)
    const headers = { accept: 'application/json' }
    const { statusCode, body } = await request(url, { dispatcher: this.agent, signal, headers })
    const parts: Buffer[] = []
    let length = 0
    for await (const part of body) {
      if (!Buffer.isBuffer(part)) throw new Error(`${url} did not answer with bytes`)
      length += part.length
      if (length > bytesAtMost) throw new Error(`${url} answers more than ${bytesAtMost} bytes`)
      parts.push(part)
    }
    if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}`)
    return Buffer.concat(parts).toString()
  }
}
