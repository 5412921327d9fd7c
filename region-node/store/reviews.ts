// What a person at home should look at: merged writes that crossed a change of home's own.
import type { DatabaseSync } from 'node:sqlite'
import type { CodeStatus } from '../resident.ts'
import { regionCell, statusCell, tokenCell, uuidCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export interface Review {
  /** Of the test or registration. A UUID. */
  readonly recordId: string
  readonly residentToken: string
  readonly reason: 'crossed' | 'unknown-resident'
  /** What home showed before, and what is in force since; null for an unknown resident. */
  readonly homeStatus: CodeStatus | null
  readonly takenStatus: CodeStatus | null
  /** The region that took it. */
  readonly originRegion: string
  readonly foundAtMs: number
}

export interface ReviewTable {
  /** Leaves one that is there as it is. */
  add(review: Review): void
  /** Newest first. */
  newest(limit: number): Review[]
}

export function reviewTable(db: DatabaseSync): ReviewTable {
  const insert = db.prepare('INSERT OR IGNORE INTO review VALUES (?, ?, ?, ?, ?, ?, ?)')
  const newest = prepareQuery(
    db,
    `SELECT record_id, token, reason, home_status, taken_status, origin_region, found_at_ms
     FROM review ORDER BY found_at_ms DESC LIMIT ?`,
    (row): Review => ({
      recordId: row.uuid(0, 'record_id'),
      residentToken: row.token(1),
      reason: row.text(2, 'reason') === 'crossed' ? 'crossed' : 'unknown-resident',
      homeStatus: row.statusOrNull(3),
      takenStatus: row.statusOrNull(4),
      originRegion: row.region(5),
      foundAtMs: row.number(6, 'found_at_ms'),
    }),
  )
  const cell = (status: CodeStatus | null): number | null => (status === null ? null : statusCell(status))
  return {
    add: (r) => {
      insert.run(
        uuidCell(r.recordId),
        tokenCell(r.residentToken),
        r.reason,
        cell(r.homeStatus),
        cell(r.takenStatus),
        regionCell(r.originRegion),
        r.foundAtMs,
      )
    },
    newest: (limit) => newest.all(limit),
  }
}
