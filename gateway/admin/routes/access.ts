// /me and /session: who this is, and the console's cookie in place of a token.
import { z } from 'zod'
import { permissions, roles } from '../../model/operator.ts'
import { permits } from '../../policy/access.ts'
import { cookieName, cookieOf, isSecure } from '../authenticate.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { Problem } from '../problem.ts'

const meAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.enum(roles)),
    scope: z.union([z.literal('*'), z.array(z.string())]),
    by: z.enum(['token', 'oidc', 'command-line']),
    may: z.array(z.enum(permissions)),
  })
  .meta({ id: 'Me' })

export const accessRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/me', methods: { get: me() } },
  { path: '/session', methods: { post: begin(plane), delete: end(plane) } },
]

const me = () =>
  operation({
    summary: 'Who this token or session is, and what it may do',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: meAnswer },
    handle: ({ operator }) => ({
      body: { ...operator, may: permissions.filter((permission) => permits(operator, permission)) },
    }),
  })

const begin = (plane: Plane) =>
  operation({
    summary: 'Begin a session of the console',
    description:
      'Answers with a cookie that stands for the token, for twelve hours, or one without a request.',
    permission: 'read',
    action: 'session.begin',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 204 },
    handle: ({ request }) => {
      const [, token] = /^Bearer +(\S+)/i.exec(request.get('authorization') ?? '') ?? []
      if (token === undefined)
        throw new Problem('forbidden', 'a session begins with a token, not with a session')
      return { headers: { 'Set-Cookie': cookie(plane.sessions.begin(token), isSecure(request), 12 * 3600) } }
    },
  })

const end = (plane: Plane) =>
  operation({
    summary: 'End the session',
    permission: 'read',
    action: 'session.end',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 204 },
    handle: ({ request }) => {
      const value = cookieOf(request)
      if (value !== null) plane.sessions.end(value)
      return { headers: { 'Set-Cookie': cookie('', isSecure(request), 0) } }
    },
  })

/** RFC 6265bis. Not for scripts, not for other sites' pages. */
const cookie = (value: string, secure: boolean, seconds: number): string =>
  `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`
