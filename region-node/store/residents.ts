// Residents in SQLite.
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { codeStatusSchema, testResultSchema } from '../resident.ts'
import type { Resident } from '../resident.ts'

const residentRow = z
  .object({
    residentId: z.string(),
    residentToken: z.string(),
    homeRegion: z.string(),
    status: codeStatusSchema,
    updatedAtMs: z.number(),
    testTimeMs: z.number().nullable(),
    testResult: testResultSchema.nullable(),
  })
  .optional()

const COLUMNS = `resident_id AS residentId, resident_token AS residentToken, home_region AS homeRegion, status,
  updated_at_ms AS updatedAtMs, test_time_ms AS testTimeMs, test_result AS testResult`

export interface ResidentTable {
  byId(residentId: string): Resident | undefined
  byToken(residentToken: string): Resident | undefined
  /** Leaves a resident who is there already as he is. @returns Whether he was added. */
  add(resident: Resident): boolean
  /** Writes colour, newest test and time of change. */
  update(resident: Resident): void
}

export function residentTable(db: DatabaseSync): ResidentTable {
  const selectById = db.prepare(`SELECT ${COLUMNS} FROM resident WHERE resident_id = ?`)
  const selectByToken = db.prepare(`SELECT ${COLUMNS} FROM resident WHERE resident_token = ?`)
  const insert = db.prepare('INSERT OR IGNORE INTO resident VALUES (?, ?, ?, ?, ?, ?, ?)')
  const write = db.prepare(
    'UPDATE resident SET status = ?, updated_at_ms = ?, test_time_ms = ?, test_result = ? WHERE resident_id = ?',
  )
  return {
    byId: (residentId) => residentRow.parse(selectById.get(residentId)),
    byToken: (residentToken) => residentRow.parse(selectByToken.get(residentToken)),
    add: (r) => {
      const { changes } = insert.run(
        r.residentId,
        r.residentToken,
        r.homeRegion,
        r.status,
        r.updatedAtMs,
        r.testTimeMs,
        r.testResult,
      )
      return changes === 1
    },
    update: (r) => {
      write.run(r.status, r.updatedAtMs, r.testTimeMs, r.testResult, r.residentId)
    },
  }
}
