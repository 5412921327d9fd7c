// Copies of other homes' residents: how far each has followed its home's feed, and on what terms.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { termsSchema } from '../replication/terms.ts'
import type { Terms } from '../replication/terms.ts'
import type { Resident } from '../resident.ts'
import { BUSY_TIMEOUT_MS } from './database.ts'
import { regionCell, resultCell, statusCell, tokenCell } from './encoding.ts'
import type { FeedEntry, FeedPosition } from './feed.ts'
import { prepareQuery } from './query.ts'

export interface Copy {
  readonly region: string
  readonly terms: Terms
  /** Every change of home's up to here is in. */
  readonly place: FeedPosition
  /** Whether it was once read to its end. */
  readonly whole: boolean
  /** It holds all that home had by then, Unix milliseconds. */
  readonly currentAtMs: number
}

export interface CopyTable {
  find(region: string): Copy | undefined
  put(copy: Copy): void
  /** Writes home's row, unless a later one is there. @param shownAs What this node shows for it. */
  take(entry: FeedEntry, shownAs: Resident): void
  /** Writes home's row also over a later one, which a home that came back from a backup has lost. */
  takeOver(entry: FeedEntry, shownAs: Resident): void
  /** Where home's row of a resident stands in its feed. */
  placeOf(residentToken: string): FeedPosition | undefined
  /** Whose row stands there, if it still does. */
  tokenAt(region: string, place: FeedPosition): string | undefined
  /** How many residents of that home are held. */
  count(region: string): number
  /** Forgets at most `limit` residents of that home and all that hangs on them. @returns How many. */
  forget(region: string, limit: number): number
  /** Forgets the copy itself. */
  drop(region: string): void
  /**
   * Empties the write-ahead log: with what `secure_delete` wrote over, what was forgotten is in no file any more.
   *
   * @returns False while another process reads the store: what it may still read can't be taken out.
   */
  scrub(): boolean
}

/** No region has so many changes. */
const BEHIND_ALL = 2 ** 52
/** https://www.sqlite.org/rescode.html#constraint_unique */
const CONSTRAINT_UNIQUE = 2067

/** A home that was restored has given a place anew that another of its residents has here. */
const isPlaceTaken = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === CONSTRAINT_UNIQUE

export function copyTable(db: DatabaseSync): CopyTable {
  const one = prepareQuery(
    db,
    'SELECT terms, epoch, seq, whole, current_at_ms FROM copy WHERE home_region = ?',
    (row) => ({
      terms: termsSchema.parse(JSON.parse(row.text(0, 'terms'))),
      place: { epoch: row.number(1, 'epoch'), seq: row.number(2, 'seq') },
      whole: row.number(3, 'whole') === 1,
      currentAtMs: row.number(4, 'current_at_ms'),
    }),
  )
  const upsert = db.prepare('INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?, ?, ?)')
  const place = prepareQuery(db, 'SELECT epoch, seq FROM resident WHERE token = ?', (row) => ({
    epoch: row.number(0, 'epoch'),
    seq: row.number(1, 'seq'),
  }))
  const at = prepareQuery(
    db,
    'SELECT token FROM resident WHERE home_region = ? AND epoch = ? AND seq = ?',
    (row) => row.token(0),
  )
  return {
    find: (region) => {
      const found = one.one(regionCell(region))
      return found && { region, ...found }
    },
    put: ({ region, terms, place: at, whole, currentAtMs }) => {
      upsert.run(regionCell(region), JSON.stringify(terms), at.epoch, at.seq, whole ? 1 : 0, currentAtMs)
    },
    ...takingRows(db),
    placeOf: (residentToken) => place.one(tokenCell(residentToken)),
    tokenAt: (region, { epoch, seq }) => at.one(regionCell(region), epoch, seq),
    ...forgetting(db),
  }
}

/** What home says of its residents. */
function takingRows(db: DatabaseSync): Pick<CopyTable, 'take' | 'takeOver'> {
  const upsertRow = `INSERT INTO resident VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (token) DO UPDATE SET status = excluded.status, updated_at_ms = excluded.updated_at_ms,
       test_time_ms = excluded.test_time_ms, test_result = excluded.test_result,
       epoch = excluded.epoch, seq = excluded.seq
     WHERE home_region = excluded.home_region`
  const overRow = db.prepare(upsertRow)
  const takeRow = db.prepare(`${upsertRow} AND (excluded.epoch, excluded.seq) >= (epoch, seq)`)
  // Behind every place that a feed comes to: older than what home says next, a row there counts as one that home has lost.
  const vacate = db.prepare(
    `UPDATE resident SET seq = coalesce(
       (SELECT max(seq) + 1 FROM resident WHERE home_region = ?1 AND epoch = ?2 AND seq >= ${BEHIND_ALL}),
       ${BEHIND_ALL})
     WHERE home_region = ?1 AND epoch = ?2 AND seq = ?3`,
  )
  const write = (statement: StatementSync, entry: FeedEntry, shownAs: Resident): void => {
    try {
      statement.run(...cellsOf(entry, shownAs))
    } catch (error) {
      if (!isPlaceTaken(error)) throw error
      vacate.run(regionCell(entry.homeRegion), entry.epoch, entry.seq)
      statement.run(...cellsOf(entry, shownAs))
    }
  }
  return {
    take: (entry, shownAs) => write(takeRow, entry, shownAs),
    takeOver: (entry, shownAs) => write(overRow, entry, shownAs),
  }
}

/** What stand-down does. */
function forgetting(db: DatabaseSync): Pick<CopyTable, 'count' | 'forget' | 'drop' | 'scrub'> {
  const counted = prepareQuery(db, 'SELECT count(*) FROM resident WHERE home_region = ?', (row) =>
    row.number(0, 'count'),
  )
  const some = prepareQuery(db, 'SELECT token FROM resident WHERE home_region = ? LIMIT ?', (row) =>
    row.token(0),
  )
  const forget = ['test', 'registration', 'resident'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE token = ?`),
  )
  const emptied = prepareQuery(db, 'PRAGMA wal_checkpoint(TRUNCATE)', (row) => row.number(0, 'busy'))
  const dropCopy = db.prepare('DELETE FROM copy WHERE home_region = ?')
  const dropHolding = db.prepare('DELETE FROM holding WHERE region = ?')
  return {
    count: (region) => counted.one(regionCell(region)) ?? 0,
    forget: (region, limit) => {
      const tokens = some.all(regionCell(region), limit)
      for (const token of tokens) {
        const cell = tokenCell(token)
        for (const statement of forget) statement.run(cell)
      }
      return tokens.length
    },
    drop: (region) => {
      dropCopy.run(regionCell(region))
      dropHolding.run(region)
    },
    scrub: () => {
      // To wait for a reader here would hold up everybody.
      db.exec('PRAGMA busy_timeout = 0')
      try {
        return emptied.one() === 0
      } finally {
        db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
      }
    },
  }
}

const cellsOf = ({ residentToken, homeRegion, epoch, seq }: FeedEntry, r: Resident) =>
  [
    tokenCell(residentToken),
    regionCell(homeRegion),
    statusCell(r.status),
    r.updatedAtMs,
    r.testTimeMs,
    resultCell(r.testResult),
    epoch,
    seq,
  ] as const
