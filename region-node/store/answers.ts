// First answers by Idempotency-Key, kept for a day, so that a repeated request changes nothing.
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

const KEPT_MS = 24 * 3_600_000
const FORGOTTEN_AT_ONCE = 4

/** A successful answer already given. `requestDigest` tells whether a repeat asks for the same. */
export interface Answer {
  readonly requestDigest: string
  /** The JSON text that was sent. */
  readonly body: string
}

export interface AnswerTable {
  find(key: string, nowMs: number): Answer | undefined
  /**
   * Forgets the answers that `chosen` picks by their text, among `limit` from `after` on.
   *
   * @returns The last key that was looked at; undefined at the end.
   */
  forgetSome(after: string, limit: number, chosen: (body: string) => boolean): string | undefined
  /** Also forgets some of the answers that are older than a day. */
  add(key: string, answer: Answer, nowMs: number): void
}

export function answerTable(db: DatabaseSync): AnswerTable {
  const known = prepareQuery(
    db,
    'SELECT request_digest, body FROM answer WHERE idempotency_key = ? AND answered_at_ms > ?',
    (row): Answer => ({ requestDigest: row.text(0, 'request_digest'), body: row.text(1, 'body') }),
  )
  // A few at a time: after a night a burst's worth at once would hold up the first of the morning.
  const forget = db.prepare(
    `DELETE FROM answer WHERE idempotency_key IN (
       SELECT idempotency_key FROM answer WHERE answered_at_ms <= ? ORDER BY answered_at_ms LIMIT ${FORGOTTEN_AT_ONCE}
     )`,
  )
  // An answer under the same key that is too old to be found may not be forgotten yet.
  const insert = db.prepare('INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)')
  const some = prepareQuery(
    db,
    'SELECT idempotency_key, body FROM answer WHERE idempotency_key > ? ORDER BY idempotency_key LIMIT ?',
    (row) => ({ key: row.text(0, 'idempotency_key'), body: row.text(1, 'body') }),
  )
  const forgetOne = db.prepare('DELETE FROM answer WHERE idempotency_key = ?')
  return {
    forgetSome: (after, limit, chosen) => {
      const found = some.all(after, limit)
      for (const { key, body } of found) if (chosen(body)) forgetOne.run(key)
      return found.at(-1)?.key
    },
    find: (key, nowMs) => known.one(key, nowMs - KEPT_MS),
    add: (key, answer, nowMs) => {
      forget.run(nowMs - KEPT_MS)
      insert.run(key, answer.requestDigest, answer.body, nowMs)
    },
  }
}
