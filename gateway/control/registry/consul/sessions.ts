// Sessions in Consul: what holds a lock, and ends by itself where nobody renews it.
import { z } from 'zod'
import { errorCode } from '../../../model/errors.ts'
import { RegistryUnavailable } from '../port.ts'

/** What is used of the client. */
interface Client {
  readonly session: {
    create(options: object): Promise<unknown>
    renew(options: { id: string }): Promise<unknown>
    destroy(options: { id: string }): Promise<unknown>
  }
  readonly catalog: { readonly node: { list(options: object): Promise<unknown> } }
}

export interface SessionParts {
  readonly client: Client
  /** `null`: the agent's own. */
  readonly datacenter: string | null
  /** Options of every request. */
  readonly common: () => Promise<{ token?: string; dc?: string; timeout: number }>
  readonly statusOf: (cause: unknown) => number | null
  readonly unavailable: (cause: unknown) => RegistryUnavailable
}

export class ConsulSessions {
  private readonly parts: SessionParts

  constructor(parts: SessionParts) {
    this.parts = parts
  }

  /**
   * One that ends `ttlMs` after nobody has renewed it any more, and lets go of what it holds. For a second after that
   * nobody gets it, so that what its holder has sent last is no longer under way.
   * @returns Its id.
   * @throws {RegistryUnavailable}
   */
  async create(name: string, ttlMs: number): Promise<string> {
    const { client, common, statusOf, unavailable } = this.parts
    const node = await this.nodeForIt()
    const options = {
      ...(await common()),
      ...(node !== null && { node }),
      name,
      ttl: `${ttlMs}ms`,
      lockdelay: '1s',
      behavior: 'release' as const,
    }
    try {
      // Random bits all through, which no version of UUID is.
      return z.object({ ID: z.guid() }).parse(answered(await client.session.create(options))).ID
    } catch (cause) {
      if (statusOf(cause) !== 403) throw unavailable(cause)
      throw new RegistryUnavailable(
        'the Consul token may not make sessions, so that this gateway runs no drills; give it session_prefix "" with policy write',
      )
    }
  }

  /** @returns Whether it was still there. @throws {RegistryUnavailable} */
  async renew(id: string): Promise<boolean> {
    const { client, common, statusOf, unavailable } = this.parts
    const options = { ...(await common()), id }
    try {
      answered(await client.session.renew(options))
      return true
    } catch (cause) {
      if (statusOf(cause) === 404) return false
      throw unavailable(cause)
    }
  }

  /** @throws {RegistryUnavailable} */
  async destroy(id: string): Promise<void> {
    const { client, common, unavailable } = this.parts
    const options = { ...(await common()), id }
    try {
      answered(await client.session.destroy(options))
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  /**
   * It is bound to a node of the datacenter where it is made; without a word to the agent's own.
   * @returns Any of the named datacenter, since one that has failed is not taken and the next try is at another.
   * @throws {RegistryUnavailable}
   */
  private async nodeForIt(): Promise<string | null> {
    const { client, datacenter, common, unavailable } = this.parts
    if (datacenter === null) return null
    const options = await common()
    let nodes: readonly { readonly Node: string }[]
    try {
      nodes = z.array(z.object({ Node: z.string() })).parse(answered(await client.catalog.node.list(options)))
    } catch (cause) {
      throw unavailable(cause)
    }
    const node = nodes[Math.floor(Math.random() * nodes.length)]
    if (node !== undefined) return node.Node
    throw new RegistryUnavailable(
      `the Consul token may see no node of ${datacenter}, so that this gateway runs no drills; give it node_prefix "" with policy read`,
    )
  }
}

/** The client tells errors from answers by `instanceof`, which fails for the system's errors in another realm. */
function answered(answer: unknown): unknown {
  if (errorCode(answer) !== '') throw answer
  return answer
}
