// Registrations for screening in SQLite: only ever added.
import type { DatabaseSync } from 'node:sqlite'
import type { Registration } from '../resident.ts'
import { regionCell, tokenCell, uuidCell } from './encoding.ts'
import { prepareQuery } from './query.ts'

export interface RegistrationTable {
  /** By when they registered, newest first. */
  newest(residentToken: string, limit: number): Registration[]
  /** Whether that very registration is there. */
  has(residentToken: string, registrationId: string): boolean
  /** Leaves one that is there already as it is. @param registration Its `registrationId` is a UUID. */
  add(residentToken: string, registration: Registration): void
}

export function registrationTable(db: DatabaseSync): RegistrationTable {
  const newest = prepareQuery(
    db,
    `SELECT registration_id, site_id, tube_id, registered_at_ms, received_at_ms, origin_region
     FROM registration WHERE token = ? ORDER BY registered_at_ms DESC LIMIT ?`,
    (row): Registration => ({
      registrationId: row.uuid(0, 'registration_id'),
      siteId: row.text(1, 'site_id'),
      tubeId: row.textOrNull(2, 'tube_id'),
      registeredAtMs: row.number(3, 'registered_at_ms'),
      receivedAtMs: row.number(4, 'received_at_ms'),
      originRegion: row.region(5),
    }),
  )
  const known = prepareQuery(
    db,
    'SELECT 1 FROM registration WHERE token = ? AND registration_id = ?',
    () => true,
  )
  const insert = db.prepare('INSERT OR IGNORE INTO registration VALUES (?, ?, ?, ?, ?, ?, ?)')
  return {
    newest: (residentToken, limit) => newest.all(tokenCell(residentToken), limit),
    has: (residentToken, registrationId) =>
      known.one(tokenCell(residentToken), uuidCell(registrationId)) === true,
    add: (residentToken, r) => {
      insert.run(
        tokenCell(residentToken),
        r.registeredAtMs,
        r.receivedAtMs,
        uuidCell(r.registrationId),
        r.siteId,
        r.tubeId,
        regionCell(r.originRegion),
      )
    },
  }
}
