// Who may use the operators' API by a token. What is kept is read from the registry; a token is known by its hash.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isRegionId } from '../../model/ids.ts'
import { type Operator, roles } from '../../model/operator.ts'
import { type Registry, RegistryUnavailable } from '../registry/port.ts'
import { isSecret, nobody, readToken } from './token-form.ts'

export const tokenPrefix = 'access/tokens/'

const time = z.int().positive()
const scopeSchema = z.union([
  z.literal('*'),
  z.array(z.string().refine(isRegionId, 'a region code of six digits')).min(1).max(100),
])

export const keptTokenSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{8}$/),
  name: z.string().min(1).max(100),
  roles: z.array(z.enum(roles)).min(1).max(roles.length),
  scope: scopeSchema,
  createdAt: time,
  /** Name of who made it. */
  createdBy: z.string().min(1).max(200),
  /** Wall-clock milliseconds; `null` for never. */
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  salt: z.base64(),
  hash: z.base64(),
})
export type KeptToken = z.output<typeof keptTokenSchema>

export type Admission =
  | { readonly operator: Operator }
  /** In words for the log; whoever asked is told no more than that it was not good. */
  | { readonly refused: 'malformed' | 'unknown' | 'wrong' | 'expired' | 'revoked' }

/** Proven tokens that are remembered, so that scrypt runs once for each and not for each request. */
const provenAtMost = 1000

export class AccessTokens implements Disposable {
  private readonly registry: Registry
  private readonly wallNow: () => number
  private known: ReadonlyMap<string, KeptToken> = new Map()
  /** Hash of a proven token, and the stored hash that it was proven against. */
  private readonly proven = new Map<string, string>()
  private stopWatching: () => void = () => {}

  private constructor(registry: Registry, wallNow: () => number) {
    this.registry = registry
    this.wallNow = wallNow
  }

  /** Follows the registry; while that can't be heard, what was last known holds. */
  static async open(registry: Registry, wallNow: () => number): Promise<AccessTokens> {
    const tokens = new AccessTokens(registry, wallNow)
    tokens.stopWatching = registry.watch(
      () => void tokens.refresh(),
      () => {},
      tokenPrefix,
    )
    await tokens.refresh()
    return tokens
  }

  get all(): readonly KeptToken[] {
    return [...this.known.values()]
  }

  /** Reads what is kept anew. */
  async refresh(): Promise<void> {
    try {
      const records = await this.registry.list(tokenPrefix)
      const read = records.flatMap(({ value }) => keptTokenSchema.safeParse(value).data ?? [])
      this.known = new Map(read.map((token) => [token.id, token]))
    } catch (cause) {
      if (!(cause instanceof RegistryUnavailable)) throw cause
    }
  }

  async admit(text: string): Promise<Admission> {
    const given = readToken(text)
    if (given === null) return { refused: 'malformed' }
    const kept = this.known.get(given.id)
    if (!(await this.isProven(text, given.secret, kept))) {
      return { refused: kept === undefined ? 'unknown' : 'wrong' }
    }
    if (kept === undefined) return { refused: 'unknown' }
    if (kept.revokedAt !== null) return { refused: 'revoked' }
    if (kept.expiresAt !== null && kept.expiresAt <= this.wallNow()) return { refused: 'expired' }
    const { id, name, scope } = kept
    return { operator: { id, name, roles: kept.roles, scope, by: 'token' } }
  }

  [Symbol.dispose](): void {
    this.stopWatching()
    this.proven.clear()
  }

  private async isProven(text: string, secret: string, kept: KeptToken | undefined): Promise<boolean> {
    const digest = createHash('sha256').update(text).digest('base64')
    if (kept !== undefined && this.proven.get(digest) === kept.hash) return true
    const good = await isSecret(secret, kept ?? nobody)
    if (!good || kept === undefined) return false
    if (this.proven.size >= provenAtMost) this.proven.clear()
    this.proven.set(digest, kept.hash)
    return true
  }
}
