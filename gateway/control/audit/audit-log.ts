// The audit log as it stands in the registry: read page by page, and verified from end to end.
import { setImmediate as breath } from 'node:timers/promises'
import { z } from 'zod'
import type { AuditRecord } from '../../model/audit.ts'
import type { Registry } from '../registry/port.ts'
import { type AuditHead, auditRecordSchema, ChainCheck, type ChainFault, emptyChain } from './chain.ts'

export const auditPrefix = 'audit/'
export const auditHeadKey = 'audit-head'

/** Keys sort as numbers do, for a million million records. */
export const auditKey = (seq: number): string => auditPrefix + String(seq).padStart(12, '0')

export const auditHeadSchema: z.ZodType<AuditHead> = z.strictObject({
  seq: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Read and checked in a few milliseconds. */
const pageSize = 50

/** The last record, and the version of the record that says so. @throws {RegistryUnavailable} */
export async function readHead(registry: Registry): Promise<{ head: AuditHead; version: number }> {
  const record = await registry.read(auditHeadKey)
  return record === null
    ? { head: emptyChain, version: 0 }
    : { head: auditHeadSchema.parse(record.value), version: record.version }
}

/**
 * Records after one, oldest first.
 * @param after Number of the record before the first; 0 from the beginning.
 * @param limit 1 or more.
 * @throws {RegistryUnavailable}
 */
export async function auditPage(registry: Registry, after: number, limit: number): Promise<AuditRecord[]> {
  const records = await registry.list(auditPrefix, { after: auditKey(after), limit })
  return records.map(({ value }) => auditRecordSchema.parse(value))
}

/** Every record as it stands, also one that somebody made unreadable. @throws {RegistryUnavailable} */
export async function* allAuditValues(registry: Registry): AsyncGenerator {
  let after = ''
  for (;;) {
    const page = await registry.list(auditPrefix, { after, limit: pageSize })
    for (const { value } of page) yield value
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = last.key
    // The embedded registry answers at once; a long log must not keep residents waiting.
    await breath()
  }
}

/**
 * The whole log against its own chain, the record that names its end, and a record that is known from elsewhere.
 * @throws {RegistryUnavailable}
 */
export async function verifyAudit(
  registry: Registry,
  anchor: AuditHead | null = null,
  progress: (seq: number, of: number) => void = () => {},
): Promise<{ head: AuditHead; fault: ChainFault | null }> {
  const { head } = await readHead(registry)
  const check = new ChainCheck(anchor)
  for await (const value of allAuditValues(registry)) {
    if (!check.take(value)) break
    progress(check.head.seq, head.seq)
  }
  return { head: check.head, fault: check.end(head) }
}
