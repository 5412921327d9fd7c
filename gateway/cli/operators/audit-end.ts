// The end of the audit log, which the API reads from its beginning.
import { z } from 'zod'
import { auditRecord, type AuditRecordAnswer } from './answers.ts'
import type { AdminClient } from './client.ts'
import { withQuery } from './pages.ts'

const pageSize = 500
const page = z.object({ items: z.array(auditRecord), next: z.int().nullable() })

/**
 * The newest records, oldest first. A long log's end is searched for by doubling and halving: some 40 small requests
 * for a million records.
 * @param count 1 or more.
 * @throws {CommandFailure}
 */
export async function newestRecords(client: AdminClient, count: number): Promise<AuditRecordAnswer[]> {
  const first = await pageAfter(client, 0, pageSize)
  if (first.next === null) return first.items.slice(-count)
  const end = await lastNumber(client, first.next)
  const records: AuditRecordAnswer[] = []
  // Some may have been written since, and belong to the newest too.
  for (let after: number | null = Math.max(0, end - count); after !== null;) {
    const { items, next } = await pageAfter(client, after, pageSize)
    records.push(...items)
    after = next
  }
  return records.slice(-count)
}

async function lastNumber(client: AdminClient, known: number): Promise<number> {
  const isBeyond = async (after: number): Promise<boolean> =>
    (await pageAfter(client, after, 1)).items.length === 0
  let low = known
  let high = known * 2
  while (!(await isBeyond(high))) [low, high] = [high, high * 2]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await isBeyond(middle)) high = middle
    else low = middle
  }
  return high
}

async function pageAfter(client: AdminClient, after: number, limit: number): Promise<z.output<typeof page>> {
  const path = withQuery('/audit', { after: String(after), limit: String(limit) })
  return (await client.get(path, page)).value
}
