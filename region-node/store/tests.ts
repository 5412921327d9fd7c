// Test results in SQLite: only ever added.
import type { DatabaseSync } from 'node:sqlite'
import type { TestRecord } from '../resident.ts'
import { regionCell, resultCell, tokenCell, uuidCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export interface TestTable {
  /** Newest sample first; of two sampled at once, the one that was reported last. */
  newest(residentToken: string, limit: number): TestRecord[]
  /** Whether that very test is there. */
  has(residentToken: string, testId: string): boolean
  /** @param test Its `testId` is a UUID. */
  add(residentToken: string, test: TestRecord): void
}

export function testTable(db: DatabaseSync): TestTable {
  const newest = prepareQuery(
    db,
    `SELECT test_id, result, sampled_at_ms, reported_at_ms, laboratory, origin_region FROM test
     WHERE token = ? ORDER BY sampled_at_ms DESC, reported_at_ms DESC LIMIT ?`,
    (row): TestRecord => ({
      testId: row.uuid(0, 'test_id'),
      result: row.result(1),
      sampledAtMs: row.number(2, 'sampled_at_ms'),
      reportedAtMs: row.number(3, 'reported_at_ms'),
      laboratory: row.textOrNull(4, 'laboratory'),
      originRegion: row.region(5),
    }),
  )
  const known = prepareQuery(
    db,
    // Few tests a resident: no index of ids.
    'SELECT 1 FROM test WHERE token = ? AND test_id = ?',
    () => true,
  )
  const insert = db.prepare('INSERT INTO test VALUES (?, ?, ?, ?, ?, ?, ?)')
  return {
    newest: (residentToken, limit) => newest.all(tokenCell(residentToken), limit),
    has: (residentToken, testId) => known.one(tokenCell(residentToken), uuidCell(testId)) === true,
    add: (residentToken, t) => {
      insert.run(
        tokenCell(residentToken),
        t.sampledAtMs,
        t.reportedAtMs,
        uuidCell(t.testId),
        resultCell(t.result),
        t.laboratory,
        regionCell(t.originRegion),
      )
    },
  }
}
