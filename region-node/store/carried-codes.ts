// Paper and family codes in SQLite: whom each stands for, until when, and whether it was lost.
import type { DatabaseSync } from 'node:sqlite'
import { tokenCell, uuidCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export type CarriedKind = 'paper' | 'family'

/** Times are Unix milliseconds. */
export interface CarriedCode {
  /** A UUID. */
  readonly codeId: string
  readonly kind: CarriedKind
  /** Who carries it, and may report its loss. */
  readonly holderToken: string
  readonly issuedAtMs: number
  readonly validUntilMs: number
  /** Null while it has not been reported lost. */
  readonly lostAtMs: number | null
}

export interface CarriedCodeTable {
  find(codeId: string): CarriedCode | undefined
  /** Whom it stands for: the holder first, then by token. */
  members(code: CarriedCode): string[]
  /** @param memberTokens Besides the holder. */
  add(code: CarriedCode, memberTokens: readonly string[]): void
  /**
   * @param codeId Undefined: all that the holder carries.
   * @returns How many that were good are lost now.
   */
  lose(holderToken: string, codeId: string | undefined, nowMs: number): number
}

export function carriedCodeTable(db: DatabaseSync): CarriedCodeTable {
  const one = prepareQuery(
    db,
    `SELECT family, holder_token, issued_at_ms, valid_until_ms, lost_at_ms FROM carried_code WHERE code_id = ?`,
    (row) => ({
      kind: row.number(0, 'family') === 1 ? ('family' as const) : ('paper' as const),
      holderToken: row.token(1),
      issuedAtMs: row.number(2, 'issued_at_ms'),
      validUntilMs: row.number(3, 'valid_until_ms'),
      lostAtMs: row.numberOrNull(4, 'lost_at_ms'),
    }),
  )
  const others = prepareQuery(
    db,
    'SELECT token FROM carried_code_member WHERE code_id = ? ORDER BY token',
    (row) => row.token(0),
  )
  const insert = db.prepare('INSERT INTO carried_code VALUES (?, ?, ?, ?, ?, NULL)')
  const insertMember = db.prepare('INSERT INTO carried_code_member VALUES (?, ?)')
  const lose = 'UPDATE carried_code SET lost_at_ms = ? WHERE holder_token = ? AND lost_at_ms IS NULL'
  const loseAll = db.prepare(lose)
  const loseOne = db.prepare(`${lose} AND code_id = ?`)
  return {
    find: (codeId) => {
      const found = one.one(uuidCell(codeId))
      return found && { codeId, ...found }
    },
    members: ({ codeId, holderToken }) => [holderToken, ...others.all(uuidCell(codeId))],
    add: (code, memberTokens) => {
      const family = code.kind === 'family' ? 1 : 0
      const holder = tokenCell(code.holderToken)
      insert.run(uuidCell(code.codeId), family, holder, code.issuedAtMs, code.validUntilMs)
      for (const token of memberTokens) insertMember.run(uuidCell(code.codeId), tokenCell(token))
    },
    lose: (holderToken, codeId, nowMs) => {
      const holder = tokenCell(holderToken)
      const { changes } =
        codeId === undefined ? loseAll.run(nowMs, holder) : loseOne.run(nowMs, holder, uuidCell(codeId))
      return Number(changes)
    },
  }
}
