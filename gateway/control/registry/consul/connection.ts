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
import { inWords } from './refusal.ts'
import {
  type Row,
  rowsSchema,
  type TransactionAnswer,
  transactionAnswer,
  type TransactionOperation,
} from './wire.ts'

/** An agent answers a watch up to this share of its `wait` later, so that watchers do not come back together. */
const agentsJitter = 1 / 16

export class ConsulConnection implements Disposable {
  readonly address: string
  private readonly access: ConsulAccess
  private readonly client: Consul

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
   * @returns `index`: 0 where the agent gave none that is of use.
   * @throws {RegistryUnavailable}
   */
  async follow(
    prefix: string,
    index: bigint,
    signal: AbortSignal,
  ): Promise<{ readonly index: bigint; readonly rows: readonly Row[] }> {
    const { waitMs, timeoutMs } = this.access
    const ctx = new Cancelling()
    const cancel = (): void => void ctx.emit('cancel')
    const options = {
      ...(await this.common()),
      key: prefix,
      recurse: true,
      index: String(index),
      wait: `${waitMs}ms`,
      ctx,
      timeout: Math.ceil(waitMs * (1 + agentsJitter)) + timeoutMs,
    }
    signal.throwIfAborted()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const [response, rows = []] = z.array(z.unknown()).parse(await this.client.kv.get(options))
      const { headers } = indexed.parse(response)
      return { index: headers['x-consul-index'], rows: rowsSchema.parse(rows) }
    } catch (cause) {
      throw this.unavailable(cause)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /**
   * A session that ends `ttlMs` after nobody has renewed it any more, and lets go of what it holds. For a second after
   * that nobody gets it, so that what its holder has sent last is no longer under way.
   * @returns Its id.
   * @throws {RegistryUnavailable}
   */
  async createSession(name: string, ttlMs: number): Promise<string> {
    const node = await this.sessionNode()
    const options = {
      ...(await this.common()),
      ...(node !== null && { node }),
      name,
      ttl: `${ttlMs}ms`,
      lockdelay: '1s',
      behavior: 'release' as const,
      timeout: this.access.timeoutMs,
    }
    try {
      const answer: unknown = await this.client.session.create(options)
      if (errorCode(answer) !== '') throw answer
      // Random bits all through, which no version of UUID is.
      return z.object({ ID: z.guid() }).parse(answer).ID
    } catch (cause) {
      if (statusOf(cause) !== 403) throw this.unavailable(cause)
      throw new RegistryUnavailable(
        'the Consul token may not make sessions, so that this gateway runs no drills; give it session_prefix "" with policy write',
      )
    }
  }

  /** @returns Whether it was still there. @throws {RegistryUnavailable} */
  async renewSession(id: string): Promise<boolean> {
    const options = { ...(await this.common()), id, timeout: this.access.timeoutMs }
    try {
      const answer: unknown = await this.client.session.renew(options)
      if (errorCode(answer) !== '') throw answer
      return true
    } catch (cause) {
      if (statusOf(cause) === 404) return false
      throw this.unavailable(cause)
    }
  }

  /** @throws {RegistryUnavailable} */
  async destroySession(id: string): Promise<void> {
    const options = { ...(await this.common()), id, timeout: this.access.timeoutMs }
    try {
      const answer: unknown = await this.client.session.destroy(options)
      if (errorCode(answer) !== '') throw answer
    } catch (cause) {
      throw this.unavailable(cause)
    }
  }

  [Symbol.dispose](): void {
    this.client.destroy()
  }

  /**
   * A session is bound to a node of the datacenter where it is made; without a word to the agent's own.
   * @returns Any of the named datacenter, since one that has failed is not taken and the next try is at another.
   * @throws {RegistryUnavailable}
   */
  private async sessionNode(): Promise<string | null> {
    const { datacenter, timeoutMs } = this.access
    if (datacenter === null) return null
    try {
      const options = { ...(await this.common()), timeout: timeoutMs }
      const answer: unknown = await this.client.catalog.node.list(options)
      if (errorCode(answer) !== '') throw answer
      const nodes = z.array(z.object({ Node: z.string() })).parse(answer)
      const node = nodes[Math.floor(Math.random() * nodes.length)]
      if (node !== undefined) return node.Node
    } catch (cause) {
      throw this.unavailable(cause)
    }
    throw new RegistryUnavailable(
      `the Consul token may see no node of ${datacenter}, so that this gateway runs no drills; give it node_prefix "" with policy read`,
    )
  }

  private async common(): Promise<{ token?: string; dc?: string }> {
    const { datacenter } = this.access
    const token = await currentToken(this.access)
    return { ...(token !== null && { token }), ...(datacenter !== null && { dc: datacenter }) }
  }

  /** Never with its cause: that holds the request, and the request the token. */
  private unavailable(cause: unknown): RegistryUnavailable {
    return new RegistryUnavailable(inWords(cause, this.address, statusOf(cause)))
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

function tlsOf({ caFile, certFile, keyFile }: ConsulAccess): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(caFile !== null && { ca: pem('caFile', caFile) }),
    ...(certFile !== null && { cert: pem('certFile', certFile) }),
    ...(keyFile !== null && { key: pem('keyFile', keyFile) }),
  }
}

function pem(field: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new UsageError(`registry.${field}: ${errorText(cause)}; name a PEM file that can be read`, {
      cause,
    })
  }
}
