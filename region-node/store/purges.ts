// Signed certificates that a donor has forgotten a home's residents: the donor's own, and those that home was given.
import type { DatabaseSync } from 'node:sqlite'
import { regionCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export interface Purge {
  readonly homeRegion: string
  readonly donor: string
  readonly purgedAtMs: number
  /** A compact JWS. */
  readonly certificate: string
  /** Whether home has it. */
  readonly handedOver: boolean
}

export interface PurgeTable {
  add(purge: Purge): void
  /** Newest first. */
  all(): Purge[]
}

export function purgeTable(db: DatabaseSync): PurgeTable {
  const insert = db.prepare('INSERT OR REPLACE INTO purge VALUES (?, ?, ?, ?, ?)')
  const every = prepareQuery(
    db,
    `SELECT home_region, donor, purged_at_ms, certificate, handed_over FROM purge ORDER BY purged_at_ms DESC`,
    (row): Purge => ({
      homeRegion: row.region(0),
      donor: String(row.number(1, 'donor')),
      purgedAtMs: row.number(2, 'purged_at_ms'),
      certificate: row.text(3, 'certificate'),
      handedOver: row.number(4, 'handed_over') === 1,
    }),
  )
  return {
    add: ({ homeRegion, donor, purgedAtMs, certificate, handedOver }) => {
      insert.run(regionCell(homeRegion), regionCell(donor), purgedAtMs, certificate, handedOver ? 1 : 0)
    },
    all: () => every.all(),
  }
}
