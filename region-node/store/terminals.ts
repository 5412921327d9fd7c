// Terminals that may look up residents: hashes of their secrets, never the secrets.
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export interface Terminal {
  readonly terminalId: string
  /** SHA-256 of the secret, 32 bytes. */
  readonly secretHash: Uint8Array
  /** Unix milliseconds. */
  readonly addedAtMs: number
  /** Since when it is not believed any more; null while it is. */
  readonly revokedAtMs: number | null
}

export interface TerminalTable {
  find(terminalId: string): Terminal | undefined
  /** By id. */
  all(): Terminal[]
  /** @returns Whether it was added: an id that was ever used is not used again. */
  add(terminal: Terminal): boolean
  /** @returns Whether there was such a terminal that was still believed. */
  revoke(terminalId: string, nowMs: number): boolean
}

const COLUMNS = 'terminal_id, secret_hash, added_at_ms, revoked_at_ms'

export function terminalTable(db: DatabaseSync): TerminalTable {
  const select = (rest: string) =>
    prepareQuery(db, `SELECT ${COLUMNS} FROM terminal ${rest}`, (row): Terminal => ({
      terminalId: row.text(0, 'terminal_id'),
      secretHash: row.bytes(1, 'secret_hash', 32),
      addedAtMs: row.number(2, 'added_at_ms'),
      revokedAtMs: row.numberOrNull(3, 'revoked_at_ms'),
    }))
  const one = select('WHERE terminal_id = ?')
  const every = select('ORDER BY terminal_id')
  const insert = db.prepare('INSERT OR IGNORE INTO terminal VALUES (?, ?, ?, ?)')
  const end = db.prepare(
    'UPDATE terminal SET revoked_at_ms = ? WHERE terminal_id = ? AND revoked_at_ms IS NULL',
  )
  return {
    find: (terminalId) => one.one(terminalId),
    all: () => every.all(),
    add: (t) => insert.run(t.terminalId, t.secretHash, t.addedAtMs, t.revokedAtMs).changes === 1,
    revoke: (terminalId, nowMs) => end.run(nowMs, terminalId).changes === 1,
  }
}
