// The order in which a region's residents changed last, for donors who follow them.
import type { DatabaseSync } from 'node:sqlite'
import type { Resident } from '../resident.ts'
import { regionCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

/**
 * A place in a region's feed. A later epoch is after every place of an earlier one, whatever its `seq`:
 * a home that comes back from a backup file begins a new epoch, and what the lost one wrote is fenced off.
 */
export interface FeedPosition {
  readonly epoch: number
  readonly seq: number
}

export const isAfter = (a: FeedPosition, b: FeedPosition): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq)

export type FeedEntry = Resident & FeedPosition

/**
 * The feed is the residents themselves, ordered by their last change: a resident who changes again moves
 * to its end. So it never grows beyond the region, and whoever reads it from the start has a snapshot.
 */
export interface FeedTable {
  /** Where the region's feed ends now; `{ epoch: 1, seq: 0 }` while it is empty. */
  head(region: string): FeedPosition
  /** The place of the change that is being written. Places of writes that were undone stay empty. */
  next(region: string): FeedPosition
  /**
   * Begins a later epoch, so that whoever followed what this store has lost reads it anew.
   *
   * @returns Where the feed ends now; undefined where no resident of that region is held.
   */
  beginEpoch(region: string): FeedPosition | undefined
  /** At most `limit` residents who changed after `position`, in order. */
  after(region: string, position: FeedPosition, limit: number): FeedEntry[]
}

const COLUMNS = 'token, home_region, status, updated_at_ms, test_time_ms, test_result, epoch, seq'

export function feedTable(db: DatabaseSync): FeedTable {
  const last = prepareQuery(
    db,
    'SELECT epoch, seq FROM resident WHERE home_region = ? ORDER BY epoch DESC, seq DESC LIMIT 1',
    (row): FeedPosition => ({ epoch: row.number(0, 'epoch'), seq: row.number(1, 'seq') }),
  )
  const changed = prepareQuery(
    db,
    `SELECT ${COLUMNS} FROM resident
     WHERE home_region = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?`,
    (row): FeedEntry => ({
      residentToken: row.token(0),
      homeRegion: row.region(1),
      status: row.status(2),
      updatedAtMs: row.number(3, 'updated_at_ms'),
      testTimeMs: row.numberOrNull(4, 'test_time_ms'),
      testResult: row.resultOrNull(5),
      epoch: row.number(6, 'epoch'),
      seq: row.number(7, 'seq'),
    }),
  )
  const ends = new Map<string, FeedPosition>()
  const head = (region: string): FeedPosition => last.one(regionCell(region)) ?? { epoch: 1, seq: 0 }
  const move = db.prepare(
    `UPDATE resident SET epoch = ?1, seq = 1 WHERE token =
       (SELECT token FROM resident WHERE home_region = ?2 ORDER BY epoch DESC, seq DESC LIMIT 1)`,
  )
  return {
    head,
    beginEpoch: (region) => {
      const begun = { epoch: head(region).epoch + 1, seq: 1 }
      ends.delete(region)
      return move.run(begun.epoch, regionCell(region)).changes === 1 ? begun : undefined
    },
    next: (region) => {
      const { epoch, seq } = ends.get(region) ?? head(region)
      const position = { epoch, seq: seq + 1 }
      ends.set(region, position)
      return position
    },
    after: (region, { epoch, seq }, limit) => changed.all(regionCell(region), epoch, seq, limit),
  }
}
