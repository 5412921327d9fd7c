// Asks the node under judgement: every request bounded in time and size, all of them in number and at once.
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, errors, request } from 'undici'
import { z } from 'zod'
import type { Finding, Observed } from './observed.ts'
import { findingsIn } from './observed.ts'

export interface Asked {
  /** Shown in the card: the path without ids, such as `/v1/codes/{id}`. */
  readonly name: string
  readonly path: string
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Sent as JSON, unless it is text already. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly personal?: boolean
  readonly byParser?: boolean
}

export interface Answer extends Observed {
  readonly tookMs: number
}

/** No answer that could be read: refused, cut, too slow, too long. Its message has no id. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly kind: 'unreachable' | 'reset' | 'timeout' | 'too-long' | 'budget'
  constructor(kind: NoAnswer['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

/** A request whose body is held back, so that it stays in flight. */
export interface HeldRequest {
  /** Sends the rest. */
  finish(): void
  readonly answer: Promise<Answer | NoAnswer>
}

export interface ClientOptions {
  readonly url: URL
  readonly timeoutMs: number
  /** Ids that must not come back. */
  readonly ids: readonly string[]
}

/** Bytes of an answer; trust lists have limits of their own, far above a code's few hundred. */
const MOST_BODY_BYTES = 1024 * 1024
/** Of one run, held ones included. */
const MOST_REQUESTS = 4000
/** At once; a burst of the overload checks fits in. */
export const MOST_AT_ONCE = 1024

export class ConformanceClient implements AsyncDisposable {
  readonly findings: Finding[] = []
  /** Answers that were read. */
  answers = 0
  #requests = 0
  readonly #options: ClientOptions
  readonly #agent: Agent
  readonly #stop = new AbortController()

  constructor(options: ClientOptions) {
    this.#options = options
    // Undici's own times are longer; ours covers an answer from its first byte to its last.
    this.#agent = new Agent({
      connections: MOST_AT_ONCE,
      pipelining: 1,
      connect: { timeout: options.timeoutMs },
    })
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  get requests(): number {
    return this.#requests
  }

  /** @throws {NoAnswer} */
  ask(asked: Asked): Promise<Answer> {
    const { body, headers } = asked
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const type = text === undefined ? {} : { 'content-type': 'application/json' }
    return this.#send(asked, text, { ...type, ...headers }, this.timeoutMs)
  }

  /** A verification whose last byte comes with `finish`; nothing is written by it. */
  hold(): HeldRequest {
    const rest = Promise.withResolvers<void>()
    const signal = this.#stop.signal
    async function* slowly() {
      yield Buffer.from('{"code":')
      // By itself after 30 s, should nobody finish it.
      await Promise.race([rest.promise, delay(30_000, undefined, { signal, ref: false })])
      yield Buffer.from('"no-code"}')
    }
    const asked: Asked = { name: '/v1/verifications', path: '/v1/verifications', method: 'POST' }
    const answer = this.#send(
      asked,
      slowly(),
      { 'content-type': 'application/json' },
      30_000 + this.timeoutMs,
    )
    const settled = answer.catch((cause: unknown) => {
      if (cause instanceof NoAnswer) return cause
      throw cause
    })
    return { finish: rest.resolve, answer: settled }
  }

  async #send(
    asked: Asked,
    body: string | AsyncIterable<Buffer> | undefined,
    headers: Record<string, string>,
    timeoutMs: number,
  ): Promise<Answer> {
    if (this.#requests >= MOST_REQUESTS)
      throw new NoAnswer('budget', `the run may send ${MOST_REQUESTS} requests`)
    this.#requests += 1
    const method = asked.method ?? 'GET'
    const name = `${method} ${asked.name}`
    const startedAt = performance.now()
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)])
    try {
      const response = await request(new URL(asked.path, this.#options.url), {
        method,
        headers,
        body: typeof body === 'string' || body === undefined ? (body ?? null) : toReadable(body),
        signal,
        dispatcher: this.#agent,
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      const text = await readBounded(response.body, name)
      const answer: Answer = {
        name,
        status: response.statusCode,
        headers: flat(response.headers),
        body: text,
        personal: asked.personal ?? false,
        byParser: asked.byParser ?? false,
        tookMs: performance.now() - startedAt,
      }
      this.answers += 1
      this.findings.push(...findingsIn(answer, this.#idsIn(asked)))
      return answer
    } catch (cause) {
      throw noAnswerOf(cause, name, timeoutMs)
    }
  }

  /** Those that this request sent: another one may stand in an answer as an example. */
  #idsIn({ path, body }: Asked): readonly string[] {
    const sent = `${path}\n${JSON.stringify(body) ?? ''}`
    return this.#options.ids.filter((id) => sent.includes(id))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#agent.destroy()
  }
}

const toReadable = (chunks: AsyncIterable<Buffer>): Readable => Readable.from(chunks, { objectMode: false })

async function readBounded(body: AsyncIterable<Buffer>, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop destroys the stream, and with it the connection.
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES)
      throw new NoAnswer('too-long', `${name}: an answer above ${MOST_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const flat = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

const timedOut = (cause: unknown): boolean =>
  z.object({ name: z.literal('TimeoutError') }).safeParse(cause).success

/** Of system calls and of undici (`UND_ERR_…`); its parser’s may have no code. */
const coded = z.union([
  z.object({ code: z.string() }),
  z.object({ name: z.literal('HTTPParserError') }).transform(() => ({ code: 'no HTTP' })),
])

function noAnswerOf(cause: unknown, name: string, timeoutMs: number): NoAnswer {
  if (cause instanceof NoAnswer) return cause
  if (timedOut(cause)) {
    return new NoAnswer('timeout', `${name}: no whole answer within ${timeoutMs} ms`, cause)
  }
  if (cause instanceof errors.ConnectTimeoutError) {
    return new NoAnswer('unreachable', `${name}: no connection within ${timeoutMs} ms`, cause)
  }
  const code = coded.safeParse(cause).data?.code
  // A fault of the kit is not one of the node.
  if (code === undefined) throw cause
  return UNREACHABLE.has(code)
    ? new NoAnswer('unreachable', `${name}: no connection (${code})`, cause)
    : new NoAnswer('reset', `${name}: the connection broke (${code})`, cause)
}
