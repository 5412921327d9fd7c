// Test results in SQLite: only ever added.
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { testResultSchema } from '../resident.ts'
import type { TestRecord } from '../resident.ts'

const testRows = z.array(
  z.object({
    testId: z.string(),
    result: testResultSchema,
    sampledAtMs: z.number(),
    reportedAtMs: z.number(),
    laboratory: z.string().nullable(),
    originRegion: z.string(),
  }),
)

export interface TestTable {
  /** Newest sample first; of two sampled at once, the one that arrived last. */
  newest(residentId: string, limit: number): TestRecord[]
  add(residentId: string, test: TestRecord): void
}

export function testTable(db: DatabaseSync): TestTable {
  const selectNewest = db.prepare(
    `SELECT test_id AS testId, result, sampled_at_ms AS sampledAtMs, reported_at_ms AS reportedAtMs,
       laboratory, origin_region AS originRegion
     FROM test WHERE resident_id = ? ORDER BY sampled_at_ms DESC, rowid DESC LIMIT ?`,
  )
  const insert = db.prepare('INSERT INTO test VALUES (?, ?, ?, ?, ?, ?, ?)')
  return {
    newest: (residentId, limit) => testRows.parse(selectNewest.all(residentId, limit)),
    add: (residentId, t) => {
      insert.run(t.testId, residentId, t.result, t.sampledAtMs, t.reportedAtMs, t.laboratory, t.originRegion)
    },
  }
}
