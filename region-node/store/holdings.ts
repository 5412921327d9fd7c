// Whose residents the node holds, how many, and how old its knowledge of them is.
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

const holdingRows = z.array(
  z.object({ region: z.string(), residents: z.number(), refreshedAtMs: z.number() }),
)

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
  const select = db.prepare('SELECT region, residents, refreshed_at_ms AS refreshedAtMs FROM holding')
  const upsert = db.prepare('INSERT OR REPLACE INTO holding VALUES (?, ?, ?)')
  return {
    all: () => holdingRows.parse(select.all()),
    put: (holding) => {
      upsert.run(holding.region, holding.residents, holding.refreshedAtMs)
    },
  }
}
