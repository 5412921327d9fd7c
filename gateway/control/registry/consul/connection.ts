// One Consul agent over its HTTP API: where it is, who we are, how long we wait, what its refusals mean to an operator.
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Consul from 'consul'
import { z } from 'zod'
import { errorCode, errorText, UsageError } from '../../../model/errors.ts'
import { RegistryUnavailable } from '../port.ts'
import { type ConsulAccess, currentToken } from './access.ts'
import { boundAnswers } from './bounded-answers.ts'
import { catalogueEntries, type CatalogueEntry } from './catalogue.ts'
import { inWords } from './refusal.ts'
import { ConsulSessions } from './sessions.ts'
import {
  type Row,
  rowsSchema,
  type TransactionAnswer,
  transactionAnswer,
  type TransactionOperation,
} from './wire.ts'

/** An agent answers a watch up to this share of its `wait` later, so that watchers do not come back together. */
const agentsJitter = 1 / 16

/** Whoever may register services may write 40 KB into each; 2,000 nodes as they should be take 4 MB. */
const longestCatalogueBytes = 8 * 1024 * 1024

/** An answer of a blocking query. */
export interface Followed<T> {
  /** 0 where the agent gave none that is of use. */
  readonly index: bigint
  readonly value: T
}

interface WaitOptions {
  readonly token?: string
  readonly dc?: string
  readonly index: string
  readonly wait: string
  readonly ctx: EventEmitter
  readonly timeout: number
}

export class ConsulConnection implements Disposable {
  readonly address: string
  private readonly access: ConsulAccess
  private readonly client: Consul
  readonly sessions: ConsulSessions

  /** @throws {UsageError} for TLS files that can't be read. */
  constructor(access: ConsulAccess) {
    const { protocol, hostname, port } = new URL(access.address)
    const secure = protocol === 'https:'
    this.access = access
    this.address = access.address
    this.client = new Consul({
      host: hostname,
      port: port === '' ? (secure ? 443 : 80) : Number(port),
      secure,
      agent: secure
        ? new HttpsAgent({ keepAlive: true, ...tlsOf(access) })
        : new HttpAgent({ keepAlive: true }),
    })
    const { datacenter, timeoutMs } = access
    this.sessions = new ConsulSessions({
      client: this.client,
      datacenter,
      common: async () => ({ ...(await this.common()), timeout: timeoutMs }),
      statusOf,
      unavailable: (cause) => this.unavailable(cause),
    })
    boundAnswers(this.client, { 'health.service': longestCatalogueBytes })
  }

  /**
   * Runs all operations as one transaction; one of reads only sees the last committed state.
   * @throws {RegistryUnavailable} Of one that writes it is not known then whether it was done.
   */
  async transact(operations: readonly TransactionOperation[]): Promise<TransactionAnswer> {
    const options = { ...(await this.common()), consistent: true, timeout: this.access.timeoutMs }
    const { transaction } = this.client
    try {
      // Its types describe another form of operations than it sends.
      const answer: unknown = await Reflect.apply(transaction.create.bind(transaction), null, [
        operations,
        options,
      ])
      // It tells errors from answers by `instanceof`, which fails for the system's errors in another realm.
      if (errorCode(answer) !== '') throw answer
      return transactionAnswer(answer)
    } catch (cause) {
      const refused = refusedTransaction.safeParse(cause)
      if (refused.success) return transactionAnswer(refused.data.response.body)
      throw this.unavailable(cause)
    }
  }

  /** Every key with this prefix. @throws {RegistryUnavailable} */
  async keys(prefix: string): Promise<readonly string[]> {
    const options = {
      ...(await this.common()),
      key: prefix,
      consistent: true,
      timeout: this.access.timeoutMs,
    }
    try {
      const answer: unknown = await this.client.kv.keys(options)
      if (errorCode(answer) !== '') throw answer
      return z.array(z.string()).parse(answer)
    } catch (cause) {
      if (statusOf(cause) === 404) return []
      throw this.unavailable(cause)
    }
  }

  /**
   * What stands under a prefix, once it has moved on from `index` or `waitMs` have passed.
   * @param index Of the answer before; 0 to be answered at once.
   * @throws {RegistryUnavailable}
   */
  async follow(prefix: string, index: bigint, signal: AbortSignal): Promise<Followed<readonly Row[]>> {
    const { kv } = this.client
    const options = { key: prefix, recurse: true }
    const { index: next, value } = await this.waiting(
      options,
      index,
      signal,
      null,
      (all) => kv.get(all),
      rowsSchema,
    )
    return { index: next, value: value ?? [] }
  }

  /**
   * Every instance of a service with its health, once that has moved on from `index` or `waitMs` have passed.
   * @param datacenter `null`: the one that the connection is for.
   * @throws {RegistryUnavailable}
   */
  async instances(
    service: string,
    datacenter: string | null,
    index: bigint,
    signal: AbortSignal,
  ): Promise<Followed<readonly CatalogueEntry[]>> {
    const { health } = this.client
    const { index: next, value } = await this.waiting(
      { service },
      index,
      signal,
      datacenter,
      (all) => health.service(all),
      catalogueEntries,
    )
    return { index: next, value: value ?? [] }
  }

  /** One blocking query. @returns `value`: `null` where Consul has nothing of that name. */
  private async waiting<O extends object, T>(
    what: O,
    index: bigint,
    signal: AbortSignal,
    datacenter: string | null,
    ask: (options: O & WaitOptions) => Promise<unknown>,
    schema: z.ZodType<T>,
  ): Promise<Followed<T | null>> {
    const { waitMs, timeoutMs } = this.access
    const ctx = new Cancelling()
    const cancel = (): void => void ctx.emit('cancel')
    const options = {
      ...what,
      ...(await this.common()),
      ...(datacenter !== null && { dc: datacenter }),
      index: String(index),
      wait: `${waitMs}ms`,
      ctx,
      timeout: Math.ceil(waitMs * (1 + agentsJitter)) + timeoutMs,
    }
    signal.throwIfAborted()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const answer = await ask(options)
      // See `transact`.
      if (errorCode(answer) !== '') throw answer
      const [response, body] = z.array(z.unknown()).parse(answer)
      const { headers } = indexed.parse(response)
      return { index: headers['x-consul-index'], value: body === undefined ? null : schema.parse(body) }
    } catch (cause) {
      throw this.unavailable(cause)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  [Symbol.dispose](): void {
    this.client.destroy()
  }

  private async common(): Promise<{ token?: string; dc?: string }> {
    const { datacenter } = this.access
    const token = await currentToken(this.access)
    return { ...(token !== null && { token }), ...(datacenter !== null && { dc: datacenter }) }
  }

  /** Never with its cause: that holds the request, and the request the token. */
  private unavailable(cause: unknown): RegistryUnavailable {
    return new RegistryUnavailable(inWords(cause, this.address, statusOf(cause), this.access.section))
  }
}

/** The client goes by this, not by AbortSignal. */
class Cancelling extends EventEmitter {
  /** The answer's headers are wanted too. */
  readonly includeResponse = true
}

const refusedTransaction = z.object({ response: z.object({ statusCode: z.literal(409), body: z.unknown() }) })

const indexed = z.object({
  headers: z.object({
    'x-consul-index': z
      .string()
      .regex(/^\d{1,20}$/)
      .transform(BigInt),
  }),
})

const failed = z.object({ response: z.object({ statusCode: z.int() }) })
const statusOf = (cause: unknown): number | null => failed.safeParse(cause).data?.response.statusCode ?? null

function tlsOf({ section = 'registry', caFile, certFile, keyFile }: ConsulAccess): {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
} {
  return {
    ...(caFile !== null && { ca: pem(`${section}.caFile`, caFile) }),
    ...(certFile !== null && { cert: pem(`${section}.certFile`, certFile) }),
    ...(keyFile !== null && { key: pem(`${section}.keyFile`, keyFile) }),
  }
}

function pem(field: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new UsageError(`${field}: ${errorText(cause)}; name a PEM file that can be read`, {
      cause,
    })
  }
}
