// The records of the audit log that are about one drill.
import { z } from 'zod'
import type { Drill } from '../../model/drill.ts'
import type { AuditReference } from '../../policy/drill-report.ts'
import { auditKey, auditPrefix, readHead } from '../audit/audit-log.ts'
import type { Registry } from '../registry/port.ts'

const pageSize = 200
/** A longer log is not read to its beginning: whoever writes a report looks after other drills too. */
const recordsAtMost = 10_000

const record = z.object({
  seq: z.int(),
  at: z.iso.datetime(),
  action: z.string(),
  target: z.string(),
  actor: z.object({ name: z.string() }).nullable(),
  outcome: z.enum(['done', 'refused', 'failed']),
})

/**
 * Oldest first, back to where the drill was made, of the last ten thousand records at the most.
 * @throws {RegistryUnavailable}
 */
export async function auditReferences(
  registry: Registry,
  { id, createdAt }: Pick<Drill, 'id' | 'createdAt'>,
): Promise<AuditReference[]> {
  const found: AuditReference[] = []
  const { head } = await readHead(registry)
  const first = Math.max(1, head.seq - recordsAtMost + 1)
  for (let last = head.seq; last >= first; last -= pageSize) {
    const after = Math.max(first, last - pageSize + 1) - 1
    const page = await registry.list(auditPrefix, { after: auditKey(after), limit: last - after })
    // One that somebody made unreadable is told by the log's own verification.
    const records = page.flatMap(({ value }) => record.safeParse(value).data ?? [])
    const own = records.filter(({ target }) => isAbout(target, id))
    found.unshift(
      ...own.map(({ seq, at, action, actor, outcome }) => ({
        seq,
        at: Date.parse(at),
        action,
        by: actor?.name ?? null,
        outcome,
      })),
    )
    const [oldest] = records
    if (oldest !== undefined && Date.parse(oldest.at) < createdAt) break
  }
  return found
}

/** Refused attempts name the path that was asked for. */
const isAbout = (target: string, id: string): boolean =>
  target === `drills/${id}` || target.startsWith(`drills/${id}/`)
