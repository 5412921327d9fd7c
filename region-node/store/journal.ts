// What this node took for residents of other homes, kept until the home has it and its copy shows it.
import type { DatabaseSync } from 'node:sqlite'
import { writeSchema } from '../replication/wire.ts'
import type { TakenWrite } from '../replication/wire.ts'
import { regionCell, tokenCell } from './encoding.ts'
import type { FeedPosition } from './feed.ts'
import { prepareQuery } from './query.ts'

export interface JournalEntry {
  readonly entry: number
  readonly write: TakenWrite
}

export interface JournalTable {
  add(home: string, write: TakenWrite): void
  /** What home has not said that it has, oldest first. */
  waiting(home: string, limit: number): JournalEntry[]
  /** How many those are. */
  waitingCount(home: string): number
  /** What a row of home's at `place` can't hold: home does not have it, or has it at a later place. */
  notIn(residentToken: string, place: FeedPosition): TakenWrite[]
  /** Home has it, and its feed holds it at `place`. */
  settle(entry: number, place: FeedPosition): void
  /** Home has it not, for want of the resident: kept until {@link JournalTable.resume}. */
  park(entry: number): void
  /** Home knows that resident now: what was parked waits to be handed over again. */
  resume(residentToken: string): void
  /** Forgets what home has and a copy that has followed to `place` shows. */
  forget(home: string, place: FeedPosition): void
  /** Forgets all that home has, whether or not the copy shows it: there is no copy any more. */
  forgetSettled(home: string): void
  /** Whether anything is kept for that home: spares a look for each resident of a page. */
  holdsAny(home: string): boolean
}

const PARKED = Number.MAX_SAFE_INTEGER

export function journalTable(db: DatabaseSync): JournalTable {
  const insert = db.prepare('INSERT INTO journal (home_region, token, write) VALUES (?, ?, ?)')
  const read = (text: string): TakenWrite => writeSchema.parse(JSON.parse(text))
  const waiting = prepareQuery(
    db,
    'SELECT entry, write FROM journal WHERE home_region = ? AND epoch IS NULL ORDER BY entry LIMIT ?',
    (row): JournalEntry => ({ entry: row.number(0, 'entry'), write: read(row.text(1, 'write')) }),
  )
  const count = prepareQuery(
    db,
    'SELECT count(*) FROM journal WHERE home_region = ? AND epoch IS NULL',
    (row) => row.number(0, 'count'),
  )
  const notIn = prepareQuery(
    db,
    'SELECT write FROM journal WHERE token = ? AND (epoch IS NULL OR (epoch, seq) > (?, ?)) ORDER BY entry',
    (row) => read(row.text(0, 'write')),
  )
  const any = prepareQuery(db, 'SELECT 1 FROM journal WHERE home_region = ? LIMIT 1', () => true)
  const settle = db.prepare('UPDATE journal SET epoch = ?, seq = ? WHERE entry = ?')
  // A place that no feed comes to: not waiting, and never passed.
  const park = db.prepare(`UPDATE journal SET epoch = ${PARKED}, seq = 0 WHERE entry = ?`)
  const resume = db.prepare(
    `UPDATE journal SET epoch = NULL, seq = NULL WHERE token = ? AND epoch = ${PARKED}`,
  )
  const forget = db.prepare(
    'DELETE FROM journal WHERE home_region = ? AND epoch IS NOT NULL AND (epoch, seq) <= (?, ?)',
  )
  const forgetSettled = db.prepare('DELETE FROM journal WHERE home_region = ? AND epoch IS NOT NULL')
  return {
    add: (home, write) => {
      insert.run(regionCell(home), tokenCell(write.residentToken), JSON.stringify(write))
    },
    waiting: (home, limit) => waiting.all(regionCell(home), limit),
    waitingCount: (home) => count.one(regionCell(home)) ?? 0,
    notIn: (token, { epoch, seq }) => notIn.all(tokenCell(token), epoch, seq),
    settle: (entry, { epoch, seq }) => {
      settle.run(epoch, seq, entry)
    },
    park: (entry) => {
      park.run(entry)
    },
    resume: (token) => {
      resume.run(tokenCell(token))
    },
    forget: (home, { epoch, seq }) => {
      forget.run(regionCell(home), epoch, seq)
    },
    forgetSettled: (home) => {
      forgetSettled.run(regionCell(home))
    },
    holdsAny: (home) => any.one(regionCell(home)) === true,
  }
}
