// Who asks: by a bearer token, or by the console's session cookie.
import type { Request } from 'express'
import type { Credentials } from '../control/access/credentials.ts'
import type { Sessions } from '../control/access/sessions.ts'
import type { Operator } from '../model/operator.ts'
import { networkOf, type LoginAttempts } from '../policy/login-attempts.ts'
import { Problem } from './problem.ts'

export interface AuthenticateParts {
  /** Judges bearer tokens, whoever gave them out. */
  readonly credentials: Credentials
  readonly sessions: Sessions
  readonly attempts: LoginAttempts
  /** ms, never going back. */
  now(): number
}

export interface Authenticated {
  readonly operator: Operator
  /** The token itself, for the session that stands for it. */
  readonly credential: string
  /** Whether it would be let in now too, for answers that go on: tokens are revoked and end, sessions are left. */
  stillIn(): Promise<boolean>
}

/**
 * With TLS the name binds the cookie to this host and its root (RFC 6265bis, section 4.1.3.2); without TLS a browser
 * would not take it under that name.
 */
export const cookieName = (secure: boolean): string => (secure ? '__Host-chiyuan' : 'chiyuan-session')

/** IP address of the client, without the IPv4-in-IPv6 prefix. */
export const sourceOf = (request: Request): string =>
  (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')

export const isSecure = (request: Request): boolean => request.secure

/**
 * Wrong attempts are counted by address and, where the token names one that there is, by that: whoever was wrong too
 * often waits. A session, a token that was proven before and a signed one are listened to all the same, as judging them
 * costs nothing worth guarding: so a wrong script behind a proxy does not shut out the people behind it.
 * @throws {Problem} `unauthenticated`, `too-many-attempts`, `forbidden` or `unavailable`.
 */
export async function authenticate(request: Request, parts: AuthenticateParts): Promise<Authenticated> {
  const network = networkOf(sourceOf(request))
  const { credentials, attempts } = parts
  const header = request.get('authorization')
  const [, token] = /^Bearer +([\w.~+/=-]+) *$/i.exec(header ?? '') ?? []
  if (header !== undefined && token === undefined) {
    throw refusal(network, 'Authorization must be: Bearer, a space, and an access token', parts)
  }
  const credential = token ?? credentialOfSession(request, parts.sessions)
  if (credential === null)
    throw nobody('send Authorization: Bearer with an access token, or log in to the console')
  const counted = `${network} ${credentials.countedAs(credential)}`
  const waitMs = attempts.waitMs(counted, parts.now())
  if (waitMs > 0 && token !== undefined && !credentials.isCheap(credential)) throw tooMany(waitMs)
  const admission = await credentials.admit(credential)
  if ('operator' in admission) {
    const cookie = token === undefined ? cookieOf(request) : null
    const stillIn = async (): Promise<boolean> =>
      (cookie === null || parts.sessions.isAlive(cookie)) &&
      'operator' in (await credentials.admit(credential))
    return { operator: admission.operator, credential, stillIn }
  }
  if ('forbidden' in admission) throw new Problem('forbidden', admission.forbidden)
  if ('unavailable' in admission) {
    throw new Problem('unavailable', `${admission.unavailable}; try again shortly`, {
      headers: { 'Retry-After': '5' },
    })
  }
  // Whoever has the right secret is told why it no longer serves; nobody else learns anything.
  throw refusal(counted, 'unfit' in admission ? admission.unfit : wordsFor[admission.refused], parts)
}

const wordsFor = {
  unknown: 'this access token is not known here',
  expired: 'this access token is expired; ask an admin for another, or log in anew',
  revoked: 'this access token is revoked; ask an admin for another',
} as const

/** A wrong attempt, counted. */
function refusal(counted: string, detail: string, parts: AuthenticateParts): Problem {
  const now = parts.now()
  const waitMs = parts.attempts.waitMs(counted, now)
  parts.attempts.wrong(counted, now)
  return waitMs > 0 ? tooMany(waitMs) : nobody(detail, 'invalid_token')
}

const tooMany = (waitMs: number): Problem =>
  new Problem('too-many-attempts', 'too many attempts from this address were not good; wait a little', {
    headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
  })

function credentialOfSession(request: Request, sessions: Sessions): string | null {
  const value = cookieOf(request)
  if (value === null) return null
  const credential = sessions.credentialOf(value)
  if (credential === null) throw nobody('this session has ended; log in again')
  if (request.method !== 'GET' && request.method !== 'HEAD' && !isOwnPage(request)) {
    throw new Problem('forbidden', 'a session may change things from the console’s own pages only')
  }
  return credential
}

export function cookieOf(request: Request): string | null {
  const name = cookieName(isSecure(request))
  for (const part of (request.get('cookie') ?? '').split(';')) {
    const [key = '', value = ''] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return null
}

/** Browsers say where a request comes from and let no page change it; SameSite=Strict stands before this. */
function isOwnPage(request: Request): boolean {
  const site = request.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const scheme = isSecure(request) ? 'https' : 'http'
  return request.get('origin') === `${scheme}://${request.get('host') ?? ''}`
}

/** @param error RFC 6750, section 3.1: none for whoever brought no token. */
const nobody = (detail: string, error: 'invalid_token' | null = null): Problem => {
  const challenge = `Bearer realm="chiyuan"${error === null ? '' : `, error="${error}"`}`
  return new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': challenge } })
}
