// A lock in Consul: a key that a session holds. The session ends with its gateway, and every write under it checks it.
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../../../model/errors.ts'
import { guarded, type Lock, LockLost } from '../lock.ts'
import type { Registry, RegistryChange, RegistryWrite } from '../port.ts'
import type { ConsulConnection } from './connection.ts'

/** Consul's shortest. A session that nobody renews is ended after that, at the latest after twice as long. */
const ttlMs = 10_000
const renewMs = 3000
/** Where another has it: to be told of its end is what the watch is for. */
const lookMs = 10_000
/** It is free, and could not be had: by the delay after a session's end, or since another was quicker. */
const againMs = 500

const afterFailureMs = 2000

/** What a commit must find besides its records. */
export interface Fence {
  readonly key: string
  readonly session: string
}

export interface ConsulLockParts {
  readonly connection: Pick<ConsulConnection, 'transact' | 'sessions'>
  readonly key: string
  /** Who it is, for whoever looks at the key. */
  readonly holder: string
  readonly registry: Registry
  readonly commit: (changes: readonly RegistryChange[], fence: Fence) => Promise<RegistryWrite>
  /** Calls `changed` when the key has, until the returned function is called. */
  readonly watch: (changed: () => void) => () => void
}

export class ConsulLock implements Lock {
  readonly registry: Registry
  trouble: string | null = null
  private readonly parts: ConsulLockParts
  private session: string | null = null
  private owns = false
  /** The session lives as long at least, by {@link performance.now}. */
  private liveUntil = 0
  private readonly ended = new AbortController()
  private hasNews = Promise.withResolvers<void>()
  private readonly stopWatching: () => void
  private readonly trying: Promise<void>

  constructor(parts: ConsulLockParts) {
    this.parts = parts
    this.registry = guarded(parts.registry, (changes) => this.commit(changes))
    this.stopWatching = parts.watch(() => this.hasNews.resolve())
    this.trying = this.tryOn()
  }

  get isHeld(): boolean {
    return this.owns && performance.now() < this.liveUntil
  }

  async depose(): Promise<void> {
    const by = await this.holdingSession()
    if (by !== null && by !== this.session) await this.parts.connection.sessions.destroy(by)
    this.hasNews.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort()
    this.stopWatching()
    this.hasNews.resolve()
    await this.trying
    const { session } = this
    if (session === null) return
    const wasHeld = this.isHeld
    this.owns = false
    const { connection, key } = this.parts
    // Let go first: after the end of a session that has it nobody gets it for a while.
    const { holder } = this.parts
    if (wasHeld) await connection.transact([lockOperation('unlock', key, session, holder)]).catch(() => {})
    await connection.sessions.destroy(session).catch(() => {})
  }

  private async commit(changes: readonly RegistryChange[]): Promise<RegistryWrite> {
    const { session } = this
    if (!this.isHeld || session === null) throw new LockLost(`${this.parts.key} is not held by this gateway`)
    return this.parts.commit(changes, { key: this.parts.key, session })
  }

  private async tryOn(): Promise<void> {
    const { signal } = this.ended
    while (!signal.aborted) {
      this.hasNews = Promise.withResolvers<void>()
      let pauseMs: number
      try {
        pauseMs = await this.step()
        this.trouble = null
      } catch (cause) {
        this.trouble = errorText(cause)
        pauseMs = afterFailureMs
      }
      const pause = new AbortController()
      const over = sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, pause.signal]), ref: false })
      await Promise.race([over.catch(() => {}), this.hasNews.promise])
      pause.abort()
    }
  }

  /** @returns How long there is nothing to do, ms. */
  private async step(): Promise<number> {
    const { connection } = this.parts
    if (this.session !== null) {
      const at = performance.now()
      if (await connection.sessions.renew(this.session)) this.liveUntil = at + ttlMs
      else this.forget()
    }
    const by = await this.holdingSession()
    this.owns = by !== null && by === this.session
    if (this.owns) return renewMs
    if (by === null) return this.take()
    if (this.session !== null) {
      const idle = this.session
      this.forget()
      await connection.sessions.destroy(idle)
    }
    return lookMs
  }

  private async take(): Promise<number> {
    const { connection, key, holder } = this.parts
    if (this.session === null) {
      const at = performance.now()
      this.session = await connection.sessions.create(`chiyuan ${key}`, ttlMs)
      this.liveUntil = at + ttlMs
    }
    const answer = await connection.transact([lockOperation('lock', key, this.session, holder)])
    this.owns = answer.ok
    return answer.ok ? renewMs : againMs
  }

  private forget(): void {
    this.session = null
    this.owns = false
  }

  private async holdingSession(): Promise<string | null> {
    const { connection, key } = this.parts
    const answer = await connection.transact([{ KV: { Verb: 'get-tree', Key: key } }])
    const row = answer.ok ? answer.rows.find((each) => each.key === key) : undefined
    return row?.session ?? null
  }
}

const lockOperation = (Verb: 'lock' | 'unlock', Key: string, Session: string, holder: string) => ({
  KV: { Verb, Key, Session, Value: Buffer.from(JSON.stringify({ holder })).toString('base64') },
})
