// Who asks: by a bearer token, or by the console's session cookie.
import type { Request } from 'express'
import type { Admission } from '../control/access/tokens.ts'
import type { Sessions } from '../control/access/sessions.ts'
import type { Operator } from '../model/operator.ts'
import type { LoginAttempts } from '../policy/login-attempts.ts'
import { Problem } from './problem.ts'

export interface AuthenticateParts {
  /** Judges a bearer token, whoever gave it out. */
  admit(token: string): Promise<Admission>
  readonly sessions: Sessions
  readonly attempts: LoginAttempts
  /** ms, never going back. */
  now(): number
}

export interface Authenticated {
  readonly operator: Operator
  /** The token itself, for the session that stands for it. */
  readonly credential: string
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

/** @throws {Problem} `unauthenticated`, `too-many-attempts` or `forbidden`. */
export async function authenticate(request: Request, parts: AuthenticateParts): Promise<Authenticated> {
  const source = sourceOf(request)
  const waitMs = parts.attempts.waitMs(source, parts.now())
  if (waitMs > 0) {
    throw new Problem(
      'too-many-attempts',
      'too many attempts from this address were not good; wait a little',
      {
        headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
      },
    )
  }
  const credential =
    bearerOf(request, () => parts.attempts.wrong(source, parts.now())) ??
    credentialOfSession(request, parts.sessions)
  if (credential === null)
    throw nobody('send Authorization: Bearer with an access token, or log in to the console')
  const admission = await parts.admit(credential)
  if ('operator' in admission) return { operator: admission.operator, credential }
  parts.attempts.wrong(source, parts.now())
  // Whoever has the right secret is told why it no longer serves; nobody else learns anything.
  const { refused } = admission
  throw nobody(
    refused === 'expired' || refused === 'revoked'
      ? `this access token is ${refused}; ask an admin for another`
      : 'this access token is not known here',
  )
}

function bearerOf(request: Request, wrong: () => void): string | null {
  const header = request.get('authorization')
  if (header === undefined) return null
  const [, token] = /^Bearer +([\w.~+/=-]+) *$/i.exec(header) ?? []
  if (token !== undefined) return token
  wrong()
  throw nobody('Authorization must be: Bearer, a space, and an access token')
}

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

const nobody = (detail: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer realm="chiyuan"' } })
