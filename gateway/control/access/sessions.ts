// Sessions of the console: a cookie in place of the token, which then need not be kept in a browser.
import { createHash, randomBytes } from 'node:crypto'

export interface SessionBounds {
  /** Longest life, ms. */
  readonly lifeMs: number
  /** Longest pause between two requests, ms. */
  readonly idleMs: number
  readonly atMost: number
  /** Of one credential, so that one script can't push out everybody else's. */
  readonly ofOneAtMost: number
}

interface Session {
  /** The credential that it stands for: judged anew with each request, so that revoking ends the session too. */
  readonly credential: string
  readonly startedAt: number
  usedAt: number
}

/** Held in memory only: a restart ends all. */
export class Sessions {
  private readonly bounds: SessionBounds
  private readonly now: () => number
  /** By the hash of the cookie's value, oldest first. */
  private readonly sessions = new Map<string, Session>()

  /** @param now ms, never going back. */
  constructor(bounds: SessionBounds, now: () => number) {
    this.bounds = bounds
    this.now = now
  }

  /** @returns The cookie's value. */
  begin(credential: string): string {
    const same = [...this.sessions].filter(([, session]) => session.credential === credential)
    const [own] = same
    if (same.length >= this.bounds.ofOneAtMost && own !== undefined) this.sessions.delete(own[0])
    const [oldest] = this.sessions.keys()
    if (this.sessions.size >= this.bounds.atMost && oldest !== undefined) this.sessions.delete(oldest)
    const value = randomBytes(32).toString('base64url')
    const now = this.now()
    this.sessions.set(nameOf(value), { credential, startedAt: now, usedAt: now })
    return value
  }

  /** The credential of a session that is alive, or `null`. */
  credentialOf(value: string): string | null {
    const name = nameOf(value)
    const session = this.sessions.get(name)
    if (session === undefined) return null
    const now = this.now()
    const { lifeMs, idleMs } = this.bounds
    if (now - session.startedAt > lifeMs || now - session.usedAt > idleMs) {
      this.sessions.delete(name)
      return null
    }
    session.usedAt = now
    return session.credential
  }

  /** Without counting as use: whoever only listens is not there for ever. */
  isAlive(value: string): boolean {
    const session = this.sessions.get(nameOf(value))
    return session !== undefined && this.now() - session.startedAt <= this.bounds.lifeMs
  }

  end(value: string): void {
    this.sessions.delete(nameOf(value))
  }
}

const nameOf = (value: string): string => createHash('sha256').update(value).digest('base64')
