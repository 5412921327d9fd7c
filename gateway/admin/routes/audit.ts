// /audit: what was done and tried, by whom and why; read, verified, exported.
import type { Response } from 'express'
import { z } from 'zod'
import { allAuditValues, auditPage, verifyAudit } from '../../control/audit/audit-log.ts'
import { auditRecordSchema } from '../../control/audit/chain.ts'
import { drained } from '../drained.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'

const auditQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Records at the most.'),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('`next` of the page before; 0 from the beginning.'),
})
const auditAnswer = z.object({
  items: z.array(auditRecordSchema),
  next: z.int().nullable().describe('Pass it as `after` for what follows; null at the end.'),
})

const anchor = /^(\d{1,12}):([0-9a-f]{64})$/
const verifyQuery = z.strictObject({
  anchor: z
    .string()
    .regex(anchor, 'SEQ:HASH of a record, as a verification before has told it')
    .optional()
    .describe('A record that must be in the log, kept elsewhere: shows also a log that was written anew.'),
})
const verifyAnswer = z
  .object({
    whole: z.boolean(),
    records: z.int().describe('Records in order from the first.'),
    anchor: z.string().describe('SEQ:HASH of the last of them. Keep it elsewhere.'),
    fault: z
      .object({
        place: z.int(),
        problem: z.enum(['unreadable', 'edited', 'missing', 'moved', 'cut-short']),
        detail: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'AuditVerification' })

export const auditRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/audit', methods: { get: list(plane) } },
  { path: '/audit/verification', methods: { get: verification(plane) } },
  { path: '/audit/export', methods: { get: exported(plane) } },
]

const list = (plane: Plane) =>
  operation({
    summary: 'The audit log, oldest first',
    permission: 'read',
    params: none,
    query: auditQuery,
    body: noBody,
    answer: { status: 200, schema: auditAnswer },
    handle: async ({ query: { after, limit } }) => {
      const items = await auditPage(plane.registry, after, limit + 1)
      const shown = items.slice(0, limit)
      return { body: { items: shown, next: items.length > limit ? (shown.at(-1)?.seq ?? null) : null } }
    },
  })

const verification = (plane: Plane) =>
  operation({
    summary: 'Whether the audit log is whole',
    description:
      'Follows the chain of hashes from the first record: an edited, removed or moved record shows.',
    work: 20,
    permission: 'read',
    params: none,
    query: verifyQuery,
    body: noBody,
    answer: { status: 200, schema: verifyAnswer },
    handle: async ({ query }) => {
      const [, seq, hash] = anchor.exec(query.anchor ?? '') ?? []
      const known = seq === undefined || hash === undefined ? null : { seq: Number(seq), hash }
      const { head, fault } = await verifyAudit(plane.registry, known)
      return { body: { whole: fault === null, records: head.seq, anchor: `${head.seq}:${head.hash}`, fault } }
    },
  })

const exported = (plane: Plane) =>
  operation({
    summary: 'The whole audit log as JSON Lines',
    work: 20,
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: z.string(), type: 'application/jsonl' },
    handle: () => ({ write: (response) => exportTo(plane, response) }),
  })

async function exportTo(plane: Plane, response: Response): Promise<void> {
  response.set('Content-Type', 'application/jsonl; charset=utf-8')
  response.set('Content-Disposition', 'attachment; filename="chiyuan-audit.jsonl"')
  for await (const value of allAuditValues(plane.registry)) {
    if (response.destroyed) return
    // What its reader has not taken yet is not piled up here.
    if (!response.write(`${JSON.stringify(value)}\n`)) await drained(response)
  }
  response.end()
}
