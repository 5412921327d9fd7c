// Kept connections to every node, by undici. One pool for all nodes of one origin and one trust, made when first used,
// closed when the node is gone.
import type { Socket } from 'node:net'
import { type buildConnector, type Dispatcher, Pool } from 'undici'
import type { NodeConnector } from '../../control/node-tls/connect.ts'
import type { CodeNode } from '../../model/region.ts'

export interface PoolSettings {
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxConnectionsPerNode: number
}

/** Idle connections are let go before a node with Node's default keep-alive (5 s) closes them under a request. */
const idleConnectionMs = 4000
/** Longest head of an answer, bytes. */
export const answerHeaderBytes = 65_536

export class Pools implements AsyncDisposable {
  private readonly pools = new Map<string, Pool>()
  private readonly connector: NodeConnector
  private settings: PoolSettings

  constructor(settings: PoolSettings, connector: NodeConnector) {
    this.connector = connector
    this.settings = settings
  }

  dispatch(node: CodeNode, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.of(node).dispatch(options, handler)
  }

  /** A connection for one stream, made before anything is sent, so that a dead node costs nothing. @throws {NodeConnectError} */
  connect(node: CodeNode): Promise<Socket> {
    return this.connector.connect(node, { timeoutMs: this.settings.connectTimeoutMs })
  }

  /** Where `settings` differ, connections are made anew; those in use end with their requests. */
  use(settings: PoolSettings): void {
    const before = this.settings
    this.settings = settings
    const same =
      before.connectTimeoutMs === settings.connectTimeoutMs &&
      before.idleTimeoutMs === settings.idleTimeoutMs &&
      before.maxConnectionsPerNode === settings.maxConnectionsPerNode
    if (!same) for (const key of this.pools.keys()) this.retireKey(key)
  }

  /** Lets a departed node's requests end and closes its connections. */
  retire(node: CodeNode): void {
    this.retireKey(node.connectionKey)
  }

  private retireKey(key: string): void {
    const pool = this.pools.get(key)
    this.pools.delete(key)
    // Closing waits for what is in flight; a failure to close a socket of a node that is gone matters to nobody.
    pool?.close().catch(() => pool.destroy())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()))
    this.pools.clear()
  }

  private of(node: CodeNode): Pool {
    const known = this.pools.get(node.connectionKey)
    if (known !== undefined) return known
    const { settings } = this
    const pool = new Pool(node.origin, {
      connections: settings.maxConnectionsPerNode,
      pipelining: 1,
      ...(node.trust === null && !node.isEnrolled
        ? { connectTimeout: settings.connectTimeoutMs }
        : { connect: this.connectorTo(node) }),
      // Deadlines are kept by the race; a broken-off body that nobody waits for is ended here.
      headersTimeout: 0,
      bodyTimeout: settings.idleTimeoutMs,
      keepAliveTimeout: idleConnectionMs,
      keepAliveMaxTimeout: 60_000,
      maxHeaderSize: answerHeaderBytes,
    })
    this.pools.set(node.connectionKey, pool)
    return pool
  }

  /** As undici wants it. */
  private connectorTo(node: CodeNode): buildConnector.connector {
    return (_options, made) => {
      this.connect(node).then(
        (socket) => made(null, socket),
        (cause: unknown) => made(cause instanceof Error ? cause : new Error(String(cause)), null),
      )
    }
  }
}
