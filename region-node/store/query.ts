// A prepared SELECT whose rows come as arrays, each read into the noun it is.
import type { DatabaseSync } from 'node:sqlite'
import { Row } from './encoding.ts'
import type { Cell } from './encoding.ts'

export interface Query<T> {
  one(...parameters: Cell[]): T | undefined
  all(...parameters: Cell[]): T[]
}

/** @param read Is given the columns in the order of the SELECT. */
export function prepareQuery<T>(db: DatabaseSync, sql: string, read: (row: Row) => T): Query<T> {
  const statement = db.prepare(sql)
  // An array costs 0.4 us less a row than an object with eight names.
  statement.setReturnArrays(true)
  return {
    one: (...parameters) => {
      const row: unknown = statement.get(...parameters)
      return row === undefined ? undefined : read(new Row(cellsOf(row)))
    },
    all: (...parameters) => statement.all(...parameters).map((row: unknown) => read(new Row(cellsOf(row)))),
  }
}

function cellsOf(row: unknown): readonly unknown[] {
  if (!Array.isArray(row)) throw new TypeError('a row must be an array; was setReturnArrays called?')
  return row
}
