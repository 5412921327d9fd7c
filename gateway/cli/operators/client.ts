// The one client of the operators' API: sends a request, and judges and reads what comes back.
import type { Readable } from 'node:stream'
import { Agent, type Dispatcher, request } from 'undici'
import type { z } from 'zod'
import type { Connection } from './connection.ts'
import { CommandFailure, exitCodes, failureOf, problemSchema } from './failure.ts'
import { NoAnswer, noAnswer } from './no-answer.ts'

export interface Answer<T> {
  readonly value: T
  /** The body as it came, for `--json`. */
  readonly text: string
  /** Of the ETag; `null` where there is none. */
  readonly version: number | null
}

export interface Sent {
  readonly body?: unknown
  /** Version that the change rests on. */
  readonly ifMatch?: number
  /** With it a request whose answer was lost is sent once more: it is done once all the same. */
  readonly idempotencyKey?: string
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const apiRoot = '/api/v1'
const times = { connectMs: 10_000, answerMs: 60_000 }
/** What a federation of thousands of nodes answers is far below. */
const answerBytesAtMost = 256 * 1024 * 1024

export class AdminClient implements AsyncDisposable {
  readonly url: URL
  private readonly token: string
  private readonly agent: Agent

  constructor({ url, token, ca }: Connection) {
    this.url = url
    this.token = token
    this.agent = new Agent({
      connect: { timeout: times.connectMs, ...(ca !== null && { ca }) },
      headersTimeout: times.answerMs,
      bodyTimeout: times.answerMs,
    })
  }

  /** @throws {CommandFailure} */
  get<T>(path: string, schema: z.ZodType<T>): Promise<Answer<T>> {
    return this.send('GET', path, {}, schema)
  }

  /**
   * @param path Below `/api/v1`, with its query.
   * @param schema What must come back.
   * @throws {CommandFailure}
   */
  async send<T>(method: Method, path: string, sent: Sent, schema: z.ZodType<T>): Promise<Answer<T>> {
    const answer = await this.whole(method, path, sent).catch((cause: unknown) => {
      if (sent.idempotencyKey === undefined || !(cause instanceof NoAnswer && cause.mayBeDone)) throw cause
      return this.whole(method, path, sent)
    })
    const parsed = schema.safeParse(answer.text === '' ? undefined : jsonOf(answer.text))
    if (parsed.success) return { ...answer, value: parsed.data }
    const [issue] = parsed.error.issues
    const where = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
    throw new CommandFailure(exitCodes.failed, {
      en: `${this.url.origin} answered what this release does not understand (${where}); use the release of the gateway`,
      zh: `${this.url.origin} 的应答与本版本不符（${where}）；请使用与网关相同的版本`,
    })
  }

  /**
   * A body that is read as it comes. One that is silent for a minute counts as broken off.
   * @throws {CommandFailure}
   */
  async stream(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Readable> {
    const response = await this.ask('GET', path, { headers: { ...headers } })
    await this.mustBeGood(response)
    return response.body
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.agent.destroy()
  }

  private async whole(
    method: Method,
    path: string,
    { body, ifMatch, idempotencyKey }: Sent,
  ): Promise<{ text: string; version: number | null }> {
    const response = await this.ask(method, path, {
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    await this.mustBeGood(response)
    const [, version] = /^"(\d+)"$/.exec(headerOf(response, 'etag') ?? '') ?? []
    return {
      text: await this.textOf(response, method !== 'GET'),
      version: version === undefined ? null : Number(version),
    }
  }

  private async ask(
    method: Method,
    path: string,
    options: { headers: Record<string, string>; body?: string },
  ): Promise<Dispatcher.ResponseData> {
    const headers = { ...options.headers, authorization: `Bearer ${this.token}` }
    try {
      return await request(new URL(apiRoot + path, this.url), {
        ...options,
        method,
        headers,
        dispatcher: this.agent,
      })
    } catch (cause) {
      throw noAnswer(this.url, cause, method !== 'GET')
    }
  }

  private async mustBeGood(response: Dispatcher.ResponseData): Promise<void> {
    const { statusCode } = response
    if (statusCode >= 200 && statusCode < 300) return
    const text = await this.textOf(response, false)
    const problem = problemSchema.safeParse(jsonOf(text))
    if (problem.success) throw failureOf(problem.data, headerOf(response, 'retry-after'))
    throw new CommandFailure(exitCodes.failed, {
      en: `${this.url.origin} answered ${statusCode}, and not as a gateway’s operators’ port does; give that port by --url`,
      zh: `${this.url.origin} 应答 ${statusCode}，不像网关的运维端口；请以 --url 指定该端口`,
    })
  }

  private async textOf({ body }: Dispatcher.ResponseData, changing: boolean): Promise<string> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of body) {
        const part = Buffer.from(chunk)
        bytes += part.length
        if (bytes > answerBytesAtMost) throw new Error(`more than ${answerBytesAtMost} bytes`)
        chunks.push(part)
      }
    } catch (cause) {
      throw noAnswer(this.url, cause, changing)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

const headerOf = ({ headers }: Dispatcher.ResponseData, name: string): string | null => {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

/** `undefined` for what is no JSON: no schema takes it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
