// The chain of the audit log: each record carries the hash of the one before, so that none can be edited, removed or
// moved without every later one showing it.
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import type { AuditEntry, AuditRecord } from '../../model/audit.ts'

export const firstPrevious = '0'.repeat(64)

const hash = z.string().regex(/^[0-9a-f]{64}$/)

export const auditRecordSchema: z.ZodType<AuditRecord> = z.strictObject({
  seq: z.int().min(1),
  at: z.iso.datetime(),
  actor: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
  from: z.string(),
  action: z.string(),
  target: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  outcome: z.enum(['done', 'refused', 'failed']),
  detail: z.string().nullable(),
  previous: hash,
  hash,
})

/** The last record of a chain. */
export interface AuditHead {
  readonly seq: number
  readonly hash: string
}

export const emptyChain: AuditHead = { seq: 0, hash: firstPrevious }

/** The next record of a chain. @param wallMs Milliseconds since 1970. */
export function sealed(entry: AuditEntry, head: AuditHead, wallMs: number): AuditRecord {
  const record = {
    seq: head.seq + 1,
    at: new Date(wallMs).toISOString(),
    ...entry,
    previous: head.hash,
  }
  return { ...record, hash: hashOf(record) }
}

/** SHA-256 over the record's canonical form (RFC 8785), so that it does not depend on the order of fields. */
export function hashOf(record: Omit<AuditRecord, 'hash'>): string {
  const { seq, at, actor, from, action, target, reason, before, after, outcome, detail, previous } = record
  const text = canonicalize({
    seq,
    at,
    actor,
    from,
    action,
    target,
    reason,
    before,
    after,
    outcome,
    detail,
    previous,
  })
  return createHash('sha256')
    .update(text ?? '')
    .digest('hex')
}

export interface ChainFault {
  /** Place in the log, from 1, at which it shows. */
  readonly place: number
  readonly problem: 'unreadable' | 'edited' | 'missing' | 'moved' | 'cut-short'
  readonly detail: string
}

/** Follows a chain record by record, as raw values, and says the first thing that is wrong with it. */
export class ChainCheck {
  head: AuditHead = emptyChain
  private readonly anchor: AuditHead | null
  private place = 0
  private found: ChainFault | null = null

  /** @param anchor A record that must be in it, because somebody kept its hash elsewhere. */
  constructor(anchor: AuditHead | null = null) {
    this.anchor = anchor
  }

  /** @returns Whether the chain is whole so far. */
  take(raw: unknown): boolean {
    this.place += 1
    if (this.found !== null) return false
    const parsed = auditRecordSchema.safeParse(raw)
    if (!parsed.success) return this.fail('unreadable', 'this is no audit record')
    const { seq, hash: own, previous } = parsed.data
    const last = this.head.seq
    if (own !== hashOf(parsed.data))
      return this.fail('edited', `record ${seq} was changed after it was written`)
    if (seq > last + 1) return this.fail('missing', `record ${last + 1} is gone: ${seq} follows ${last}`)
    if (seq <= last) return this.fail('moved', `record ${seq} stands after ${last}`)
    if (previous !== this.head.hash) {
      return this.fail('edited', `record ${seq} does not follow ${last}: one of the two was replaced`)
    }
    if (seq === this.anchor?.seq && own !== this.anchor.hash) {
      return this.fail(
        'edited',
        `record ${seq} is not the one that was kept elsewhere: the log was written anew`,
      )
    }
    this.head = { seq, hash: own }
    return true
  }

  /** @param written What the log itself says is its last record; `null` where that is not at hand. */
  end(written: AuditHead | null): ChainFault | null {
    const { seq } = this.head
    const least = Math.max(written?.seq ?? 0, this.anchor?.seq ?? 0)
    if (this.found === null && seq < least) {
      this.fail('cut-short', `it ends with record ${seq}, and ${least} were written`)
    } else if (this.found === null && written !== null && written.hash !== this.head.hash) {
      this.fail('edited', `record ${seq} is not the last that was written`)
    }
    return this.found
  }

  private fail(problem: ChainFault['problem'], detail: string): false {
    this.found = { place: this.place, problem, detail }
    return false
  }
}
