// Residents in SQLite, by their tokens; every change of one takes the next place in its region's feed.
import type { DatabaseSync } from 'node:sqlite'
import type { Resident } from '../resident.ts'
import { regionCell, resultCell, statusCell, tokenCell } from './encoding.ts'
import type { FeedTable } from './feed.ts'
import { prepareQuery } from './query.ts'

export interface ResidentTable {
  /** One descent of the table's own tree, whatever its size. */
  byToken(residentToken: string): Resident | undefined
  /** Leaves a resident who is there already as he is. @returns Whether he was added. */
  add(resident: Resident): boolean
  /** Writes colour, newest test and time of change: home's own decision, so it goes to the end of the feed. */
  update(resident: Resident): void
  /** The same for a resident of another home: the place in that home's feed is not ours to give. */
  updateCopy(resident: Resident): void
}

export function residentTable(db: DatabaseSync, feed: FeedTable): ResidentTable {
  const known = prepareQuery(
    db,
    `SELECT home_region, status, updated_at_ms, test_time_ms, test_result FROM resident WHERE token = ?`,
    (row) => ({
      homeRegion: row.region(0),
      status: row.status(1),
      updatedAtMs: row.number(2, 'updated_at_ms'),
      testTimeMs: row.numberOrNull(3, 'test_time_ms'),
      testResult: row.resultOrNull(4),
    }),
  )
  const insert = db.prepare('INSERT OR IGNORE INTO resident VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const set = 'UPDATE resident SET status = ?, updated_at_ms = ?, test_time_ms = ?, test_result = ?'
  const write = db.prepare(`${set}, epoch = ?, seq = ? WHERE token = ?`)
  const writeCopy = db.prepare(`${set} WHERE token = ?`)
  const changing = (r: Resident) =>
    [statusCell(r.status), r.updatedAtMs, r.testTimeMs, resultCell(r.testResult)] as const
  return {
    byToken: (residentToken) => {
      const found = known.one(tokenCell(residentToken))
      return found && { residentToken, ...found }
    },
    add: (r) => {
      const { epoch, seq } = feed.next(r.homeRegion)
      const { changes } = insert.run(
        tokenCell(r.residentToken),
        regionCell(r.homeRegion),
        ...changing(r),
        epoch,
        seq,
      )
      return changes === 1
    },
    update: (r) => {
      const { epoch, seq } = feed.next(r.homeRegion)
      write.run(...changing(r), epoch, seq, tokenCell(r.residentToken))
    },
    updateCopy: (r) => {
      writeCopy.run(...changing(r), tokenCell(r.residentToken))
    },
  }
}
