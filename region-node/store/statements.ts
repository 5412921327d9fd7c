// What residents stated, for the home authority to read: declarations, and requests for correction.
import type { DatabaseSync } from 'node:sqlite'
import { tokenCell, uuidCell } from './encoding.ts'

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

export interface StatementTable {
  add(statement: Statement): void
}

export function statementTable(db: DatabaseSync): StatementTable {
  const insert = db.prepare('INSERT INTO statement VALUES (?, ?, ?, ?, ?)')
  return {
    add: (s) => {
      insert.run(uuidCell(s.statementId), tokenCell(s.residentToken), s.kind, s.receivedAtMs, s.details)
    },
  }
}
