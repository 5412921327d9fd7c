// Who may use the operators' API by a token. What is kept is read from the registry; a token is known by its hash.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isRegionId } from '../../model/ids.ts'
import { roles } from '../../model/operator.ts'
import { type Registry, RegistryUnavailable } from '../registry/port.ts'
import type { Admission, Credentials } from './credentials.ts'
import { isSecret, nobody, readToken } from './token-form.ts'
import { Turns } from './turns.ts'

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

/** Proven tokens that are remembered, so that scrypt runs once for each and not for each request. */
const provenAtMost = 1000
/** Tokens that wait to be proven. One by one, as scrypt takes a thread that the data plane's look-ups need too. */
const waitingAtMost = 32

export class AccessTokens implements Credentials, Disposable {
  private readonly registry: Registry
  private readonly wallNow: () => number
  private known: ReadonlyMap<string, KeptToken> = new Map()
  /** Hash of a proven token, and the stored hash that it was proven against. */
  private readonly proven = new Map<string, string>()
  private readonly turns = new Turns(waitingAtMost)
  private stopWatching: () => void = () => {}
  private reads = 0
  private applied = 0

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
    const turn = ++this.reads
    try {
      const records = await this.registry.list(tokenPrefix)
      // An answer that was overtaken by a later one would let a revoked token in again.
      if (turn < this.applied) return
      this.applied = turn
      const read = records.flatMap(({ value }) => keptTokenSchema.safeParse(value).data ?? [])
      this.known = new Map(read.map((token) => [token.id, token]))
    } catch (cause) {
      if (!(cause instanceof RegistryUnavailable)) throw cause
    }
  }

  countedAs(text: string): string {
    const id = readToken(text)?.id
    return id !== undefined && this.known.has(id) ? id : ''
  }

  isCheap(text: string): boolean {
    const kept = this.known.get(readToken(text)?.id ?? '')
    return kept !== undefined && this.proven.get(digestOf(text)) === kept.hash
  }

  async admit(text: string): Promise<Admission> {
    const given = readToken(text)
    if (given === null) return { refused: 'unknown' }
    const proven = await this.isProven(text, given)
    if (proven === null) return { unavailable: 'too many access tokens are being looked at' }
    // As it stands now, not as it stood when the secret began to be compared.
    const kept = this.known.get(given.id)
    if (!proven || kept === undefined || this.proven.get(digestOf(text)) !== kept.hash) {
      return { refused: 'unknown' }
    }
    if (kept.revokedAt !== null) return { refused: 'revoked' }
    if (kept.expiresAt !== null && kept.expiresAt <= this.wallNow()) return { refused: 'expired' }
    const { id, name, scope } = kept
    return { operator: { id, name, roles: kept.roles, scope, by: 'token' } }
  }

  [Symbol.dispose](): void {
    this.stopWatching()
    this.proven.clear()
  }

  /** @returns `null` where too many wait for it. */
  private async isProven(
    text: string,
    { id, secret }: { id: string; secret: string },
  ): Promise<boolean | null> {
    if (this.isCheap(text)) return true
    const good = await this.turns.take(async () => {
      const kept = this.known.get(id)
      return (await isSecret(secret, kept ?? nobody)) && kept !== undefined ? kept.hash : null
    })
    if (good === 'full') return null
    if (good.result === null) return false
    if (this.proven.size >= provenAtMost) this.proven.clear()
    this.proven.set(digestOf(text), good.result)
    return true
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64')
