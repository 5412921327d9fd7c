// Where the operators' API writes: a change, its audit record and what a repeat of the request is answered with, all
// together or none.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { AuditEntry } from '../model/audit.ts'
import type { Changes } from '../control/changes.ts'
import { turnKey, TurnTaken } from '../control/guard-turn.ts'
import type { Registry, RegistryChange } from '../control/registry/port.ts'
import type { Answer, Asked } from './operation.ts'
import { Problem } from './problem.ts'

export interface Change extends Pick<AuditEntry, 'action' | 'target' | 'reason' | 'before' | 'after'> {
  readonly writes: readonly RegistryChange[]
  readonly answer: Answer
}

const idempotencyPrefix = 'idempotency/'
/** How long a key is remembered, ms. */
export const idempotencyMs = 24 * 3_600_000

const remembered = z.strictObject({
  bodyHash: z.string(),
  at: z.int(),
  answer: z.strictObject({
    status: z.int().optional(),
    body: z.unknown(),
    version: z.int().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
})

type Who = Pick<Asked<unknown, unknown, unknown>, 'operator' | 'from' | 'idempotency'>

export class Desk {
  private readonly registry: Registry
  private readonly changes: Changes
  private readonly wallNow: () => number

  constructor(registry: Registry, changes: Changes, wallNow: () => number) {
    this.registry = registry
    this.changes = changes
    this.wallNow = wallNow
  }

  /**
   * @throws {TurnTaken} where another guarded change was quicker.
   * @throws {Problem} `stale` where a record is no longer as the client saw it.
   * @throws {RegistryUnavailable}
   */
  async make(who: Who, change: Change): Promise<Answer> {
    const { writes, answer, ...what } = change
    const { id, name } = who.operator
    const entry: AuditEntry = { ...what, actor: { id, name }, from: who.from, outcome: 'done', detail: null }
    const result = await this.changes.commit(entry, [...writes, ...this.remember(who, answer)])
    if (result.ok) return answer
    if (result.key.startsWith(idempotencyPrefix)) {
      const first = await this.repeated(who)
      if (first !== null) return first
    }
    if (result.key === turnKey)
      throw new TurnTaken(`another guarded change was quicker than ${change.action}`)
    throw new Problem('stale', `${change.target} was changed meanwhile; read it again, and decide anew`)
  }

  /**
   * What the same request was answered with before, or `null` where it is new.
   * @throws {Problem} `key-reused`
   */
  async repeated({ idempotency }: Pick<Who, 'idempotency'>): Promise<Answer | null> {
    if (idempotency === null) return null
    const record = await this.registry.read(idempotencyPrefix + idempotency.key)
    if (record === null) return null
    const { bodyHash, at, answer } = remembered.parse(record.value)
    if (this.wallNow() - at > idempotencyMs) {
      // Else the new request could not be remembered, and would be refused until the next clearing up.
      await this.registry.commit([{ key: record.key, value: null, expectedVersion: record.version }])
      return null
    }
    if (bodyHash !== idempotency.bodyHash) {
      throw new Problem(
        'key-reused',
        'this Idempotency-Key came with another request; use a new one for each',
      )
    }
    const { status, body, version, headers } = answer
    return {
      body,
      headers: { ...headers, 'Idempotency-Replayed': 'true' },
      ...(status !== undefined && { status }),
      ...(version !== undefined && { version }),
    }
  }

  /** Forgets keys that are older than a day. */
  async forgetOld(): Promise<void> {
    const now = this.wallNow()
    const records = await this.registry.list(idempotencyPrefix)
    const old = records.filter(
      ({ value }) => now - (remembered.safeParse(value).data?.at ?? 0) > idempotencyMs,
    )
    for (const { key, version } of old) {
      // Whoever was quicker has forgotten it too.
      await this.registry.commit([{ key, value: null, expectedVersion: version }])
    }
  }

  private remember({ idempotency }: Who, { status, body, version, headers }: Answer): RegistryChange[] {
    if (idempotency === null) return []
    const { key, bodyHash } = idempotency
    const value = remembered.parse({
      bodyHash,
      at: this.wallNow(),
      answer: { status, body, version, headers },
    })
    return [{ key: idempotencyPrefix + key, value, expectedVersion: 0 }]
  }
}

/** Keys are one operator's own, and one operation's. */
export const idempotencyName = (operatorId: string, operation: string, key: string): string =>
  createHash('sha256')
    .update(JSON.stringify([operatorId, operation, key]))
    .digest('hex')
