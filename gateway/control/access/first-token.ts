// The token that lets the first admin in: made once, when nobody has one yet.
import type { Changes } from '../changes.ts'
import type { Registry } from '../registry/port.ts'
import { makeToken } from './token-form.ts'
import { type KeptToken, tokenPrefix } from './tokens.ts'

/** Changed with every first token: of gateways that start at one moment on an empty registry, one makes it. */
const firstTokenKey = 'access/first-token'

/**
 * @param wallMs Wall-clock milliseconds since 1970.
 * @returns The token, to be shown once; `null` where anybody has one already.
 * @throws {RegistryUnavailable}
 */
export async function makeFirstToken(
  registry: Registry,
  changes: Changes,
  wallMs: number,
): Promise<string | null> {
  const before = await registry.read(firstTokenKey)
  const [any] = await registry.list(tokenPrefix, { limit: 1 })
  if (any !== undefined) return null
  const { token, kept, id } = await makeToken()
  const [entry, made] = tokenByHand(
    { id, name: 'first admin', ...kept },
    wallMs,
    'first start: nobody had a token',
  )
  const claim = { key: firstTokenKey, value: { id }, expectedVersion: before?.version ?? 0 }
  const { ok } = await changes.commit(entry, [...made, claim])
  return ok ? token : null
}

/**
 * An admin token for all regions, as whoever may read and write the registry itself can have one.
 * @returns What is kept of it and what is written, for {@link Changes.commit}.
 */
export function tokenByHand(
  { id, name, salt, hash }: Pick<KeptToken, 'id' | 'name' | 'salt' | 'hash'>,
  wallMs: number,
  reason: string,
): Parameters<Changes['commit']> {
  const value: KeptToken = {
    id,
    name,
    roles: ['admin'],
    scope: '*',
    createdAt: wallMs,
    createdBy: 'command line',
    expiresAt: null,
    revokedAt: null,
    salt,
    hash,
  }
  const { salt: _salt, hash: _hash, ...shown } = value
  return [
    {
      actor: { id: 'command-line', name: 'command line' },
      from: 'local',
      action: 'token.create',
      target: `tokens/${id}`,
      reason,
      before: null,
      after: shown,
      outcome: 'done',
      detail: null,
    },
    [{ key: tokenPrefix + id, value, expectedVersion: 0 }],
  ]
}
