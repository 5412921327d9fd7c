// /tokens: who may use this API. A token itself is shown once, in the answer that made it.
import { z } from 'zod'
import { makeToken } from '../../control/access/token-form.ts'
import { type KeptToken, keptTokenSchema, tokenPrefix } from '../../control/access/tokens.ts'
import type { RegistryChange } from '../../control/registry/port.ts'
import { listTyped, readTyped, type Versioned } from '../../control/registry/typed.ts'
import { roles } from '../../model/operator.ts'
import { coversAll } from '../../policy/access.ts'
import { type AdminRoute, type Answer, type Asked, must, noBody, none, operation } from '../operation.ts'
import { page, pageOf, pageQuery } from '../paging.ts'
import { mustMatch, type Plane, timeText } from '../plane.ts'
import { Problem } from '../problem.ts'
import { reasonField } from '../schemas/holds.ts'
import { regionIdSchema } from '../schemas/vocabulary.ts'

const longestDays = 3650
const scopeField = z
  .union([z.literal('*'), z.array(regionIdSchema).min(1).max(100)])
  .describe('Regions that it may touch, each with all below it; `*` for all.')

const newToken = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .describe('The person or the program. Two tokens of one person carry one name.'),
  roles: z.array(z.enum(roles)).min(1).max(roles.length),
  scope: scopeField,
  days: z
    .number()
    .min(0.001)
    .max(longestDays)
    .nullable()
    .default(90)
    .describe('Time until it expires; null for never.'),
  reason: reasonField,
})

const tokenAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.enum(roles)),
    scope: scopeField,
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'Token' })
const madeAnswer = tokenAnswer
  .extend({ token: z.string().describe('The token itself. It is shown this once and kept nowhere.') })
  .meta({ id: 'NewToken' })

const oneToken = z.strictObject({ id: z.string().min(1).max(64) })

export const tokenRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/tokens', methods: { get: list(plane), post: create(plane) } },
  { path: '/tokens/:id', methods: { get: show(plane), delete: revoke(plane) } },
  { path: '/tokens/:id/rotation', methods: { post: rotate(plane) } },
]

const list = (plane: Plane) =>
  operation({
    summary: 'All access tokens, the revoked ones too',
    permission: 'manage-tokens',
    params: none,
    query: pageQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(tokenAnswer) },
    handle: async ({ query }) => {
      const kept = await listTyped(plane.registry, tokenPrefix, keptTokenSchema)
      return { body: page(kept.map(toAnswer), query, ({ id }) => id) }
    },
  })

const show = (plane: Plane) =>
  operation({
    summary: 'One access token',
    permission: 'manage-tokens',
    params: oneToken,
    query: none,
    body: noBody,
    answer: { status: 200, schema: tokenAnswer },
    handle: async ({ params }) => {
      const kept = await tokenOf(plane, params.id)
      return { body: toAnswer(kept), version: kept.version }
    },
  })

const create = (plane: Plane) =>
  operation({
    summary: 'Make an access token',
    permission: 'manage-tokens',
    action: 'token.create',
    params: none,
    query: none,
    body: newToken,
    answer: { status: 201, schema: madeAnswer },
    handle: async (asked) => {
      const { name, scope, days, reason } = asked.body
      mustCover(asked, scope)
      const now = plane.wallNow()
      const { id, token, kept: secret } = await makeToken()
      const kept: KeptToken = {
        id,
        name,
        roles: asked.body.roles,
        scope,
        createdAt: now,
        createdBy: asked.operator.name,
        expiresAt: days === null ? null : now + Math.ceil(days * 86_400_000),
        revokedAt: null,
        ...secret,
      }
      return write(plane, asked, {
        action: 'token.create',
        reason,
        before: null,
        kept,
        expectedVersion: 0,
        answer: (shown) => ({
          status: 201,
          body: { ...shown, token },
          version: shown.version,
          headers: { Location: `/api/v1/tokens/${id}` },
        }),
      })
    },
  })

const rotate = (plane: Plane) =>
  operation({
    summary: 'Give a token a new secret',
    description: 'The old secret is no good from now on.',
    permission: 'manage-tokens',
    action: 'token.rotate',
    params: oneToken,
    query: none,
    body: z.strictObject({ reason: reasonField }),
    answer: { status: 200, schema: madeAnswer },
    problems: ['conflict'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await tokenOf(plane, asked.params.id)
      mustCover(asked, before.value.scope)
      mustMatch(before.version, asked.ifMatch, `tokens/${before.value.id}`)
      if (before.value.revokedAt !== null)
        throw new Problem('conflict', 'this token is revoked for good; make another')
      const { token, kept: secret } = await makeToken(before.value.id)
      return write(plane, asked, {
        action: 'token.rotate',
        reason: asked.body.reason,
        before,
        kept: { ...before.value, ...secret },
        expectedVersion: before.version,
        answer: (shown) => ({ body: { ...shown, token }, version: shown.version }),
      })
    },
  })

const revoke = (plane: Plane) =>
  operation({
    summary: 'Revoke a token, for good',
    permission: 'manage-tokens',
    action: 'token.revoke',
    params: oneToken,
    query: z.strictObject({ reason: reasonField }),
    body: noBody,
    answer: { status: 204 },
    problems: ['conflict'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await tokenOf(plane, asked.params.id)
      mustCover(asked, before.value.scope)
      mustMatch(before.version, asked.ifMatch, `tokens/${before.value.id}`)
      if (before.value.revokedAt !== null) throw new Problem('conflict', 'this token is revoked already')
      const guard = await mustLeaveAnAdmin(plane, before.value)
      return write(plane, asked, {
        action: 'token.revoke',
        reason: asked.query.reason,
        before,
        kept: { ...before.value, revokedAt: plane.wallNow() },
        expectedVersion: before.version,
        guard,
        answer: () => ({ status: 204 }),
      })
    },
  })

type TokenAnswer = z.output<typeof tokenAnswer>

async function write(
  plane: Plane,
  asked: Asked<unknown, unknown, unknown>,
  what: {
    readonly action: string
    readonly reason: string
    readonly before: Versioned<KeptToken> | null
    readonly kept: KeptToken
    readonly expectedVersion: number
    readonly guard?: readonly RegistryChange[]
    readonly answer: (shown: TokenAnswer) => Answer
  },
): Promise<Answer> {
  const { action, reason, before, kept, expectedVersion } = what
  const after = toAnswer({ value: kept, version: expectedVersion + 1 })
  const answer = await plane.desk.make(asked, {
    action,
    target: `tokens/${kept.id}`,
    reason,
    before: before === null ? null : toAnswer(before),
    after,
    writes: [{ key: tokenPrefix + kept.id, value: kept, expectedVersion }, ...(what.guard ?? [])],
    answer: what.answer(after),
  })
  // Whoever is answered may count on it: the next request is judged by what stands now.
  await plane.tokens.refresh()
  return answer
}

/** Nobody gives out more than they have. @throws {Problem} `forbidden` */
function mustCover(
  { operator }: Pick<Asked<unknown, unknown, unknown>, 'operator'>,
  scope: KeptToken['scope'],
): void {
  must(operator, 'manage-tokens', [])
  if (coversAll(operator.scope, scope)) return
  throw new Problem('forbidden', 'its scope goes beyond yours')
}

/** Moves on with each admin that is revoked, so that of two who revoke each other at one moment only one can. */
const lastAdminGuard = 'access/admins'

/**
 * @returns What must be written together with the revocation.
 * @throws {Problem} `conflict`
 */
async function mustLeaveAnAdmin(plane: Plane, revoked: KeptToken): Promise<RegistryChange[]> {
  const now = plane.wallNow()
  const isAdmin = (value: KeptToken): boolean =>
    value.roles.includes('admin') &&
    value.scope === '*' &&
    value.revokedAt === null &&
    (value.expiresAt ?? Infinity) > now
  if (!isAdmin(revoked)) return []
  // Read before the tokens: whoever is revoked after this moves it on.
  const guard = await plane.registry.read(lastAdminGuard)
  const kept = await listTyped(plane.registry, tokenPrefix, keptTokenSchema)
  if (!kept.some(({ value }) => isAdmin(value) && value.id !== revoked.id)) {
    throw new Problem(
      'conflict',
      'this is the last admin token that holds for all regions; make another first',
    )
  }
  return [{ key: lastAdminGuard, value: { revoked: revoked.id }, expectedVersion: guard?.version ?? 0 }]
}

async function tokenOf(plane: Plane, id: string): Promise<Versioned<KeptToken>> {
  const kept = await readTyped(plane.registry, tokenPrefix + id, keptTokenSchema)
  if (kept === null) throw new Problem('not-found', 'there is no such token; list /tokens')
  return kept
}

function toAnswer({ value, version }: Versioned<KeptToken>): TokenAnswer {
  const { id, name, scope, createdAt, createdBy, expiresAt, revokedAt } = value
  return {
    id,
    name,
    roles: value.roles,
    scope,
    createdAt: timeText(createdAt),
    createdBy,
    expiresAt: expiresAt === null ? null : timeText(expiresAt),
    revokedAt: revokedAt === null ? null : timeText(revokedAt),
    version,
  }
}
