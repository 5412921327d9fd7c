// What residents stated, for the home authority to read: declarations, and requests for correction.
import type { DatabaseSync } from 'node:sqlite'
import { tokenCell, uuidCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export interface Statement {
  /** A UUID. */
  readonly statementId: string
  readonly residentToken: string
  readonly kind: 'declaration' | 'correction'
  /** Unix milliseconds. */
  readonly receivedAtMs: number
  /** JSON, by the schema of the kind. */
  readonly details: string
}

/** Of a resident and kind that are known. */
export type KeptStatement = Omit<Statement, 'residentToken' | 'kind'>

export interface StatementTable {
  /** Newest first. */
  newest(residentToken: string, kind: Statement['kind'], limit: number): KeptStatement[]
  add(statement: Statement): void
}

export function statementTable(db: DatabaseSync): StatementTable {
  const newest = prepareQuery(
    db,
    `SELECT statement_id, received_at_ms, details FROM statement
     WHERE token = ? AND kind = ? ORDER BY received_at_ms DESC LIMIT ?`,
    (row) => ({
      statementId: row.uuid(0, 'statement_id'),
      receivedAtMs: row.number(1, 'received_at_ms'),
      details: row.text(2, 'details'),
    }),
  )
  const insert = db.prepare('INSERT INTO statement VALUES (?, ?, ?, ?, ?)')
  return {
    newest: (residentToken, kind, limit) => newest.all(tokenCell(residentToken), kind, limit),
    add: (s) => {
      insert.run(uuidCell(s.statementId), tokenCell(s.residentToken), s.kind, s.receivedAtMs, s.details)
    },
  }
}
