// Whose residents the node holds, how many, and how old its knowledge of them is.
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export interface Holding {
  readonly region: string
  readonly residents: number
  /** When this region's data were last loaded, Unix milliseconds. */
  readonly refreshedAtMs: number
}

export interface HoldingTable {
  all(): Holding[]
  put(holding: Holding): void
}

export function holdingTable(db: DatabaseSync): HoldingTable {
  const every = prepareQuery(
    db,
    'SELECT region, residents, refreshed_at_ms FROM holding',
    (row): Holding => ({
      region: row.text(0, 'region'),
      residents: row.number(1, 'residents'),
      refreshedAtMs: row.number(2, 'refreshed_at_ms'),
    }),
  )
  const upsert = db.prepare('INSERT OR REPLACE INTO holding VALUES (?, ?, ?)')
  return {
    all: () => every.all(),
    put: (holding) => {
      upsert.run(holding.region, holding.residents, holding.refreshedAtMs)
    },
  }
}
