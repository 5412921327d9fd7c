// Which printed codes were reported lost, read from a data file that a node may be writing to.
import { DatabaseSync } from 'node:sqlite'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { regionCell } from './encoding.ts'
import { MIGRATIONS } from './migrations.ts'
import { prepareQuery } from './query.ts'

/** The data file can't tell what was lost; says in one line why, and what to give instead. */
export class LossesUnknown extends Error {
  override readonly name = 'LossesUnknown'
}

/** After its end a paper is refused without a list; clocks and tolerances differ by less than this. */
const keptMs = 24 * 3_600_000

const versionRow = z.object({ user_version: z.int() })

/**
 * Whole or not at all: a list that lacks a loss would make the lost paper good again.
 *
 * @param file Of the region's writer: donors and followers know of no losses.
 * @returns Ids (UUIDs) of the region's papers that are lost and might still be taken.
 * @throws {LossesUnknown}
 */
export function readLostPapers(file: string, region: string, nowMs: number): string[] {
  try {
    using db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 })
    refuseOtherRelease(db, file)
    refuseOtherRegion(db, file, region)
    const lost = prepareQuery(
      db,
      `SELECT code_id FROM carried_code JOIN resident ON token = holder_token
       WHERE lost_at_ms IS NOT NULL AND valid_until_ms > ? AND home_region = ? ORDER BY code_id`,
      (row) => row.uuid(0, 'code_id'),
    )
    return lost.all(nowMs - keptMs, regionCell(region))
  } catch (cause) {
    if (cause instanceof LossesUnknown) throw cause
    const reason = isNativeError(cause) ? cause.message : String(cause)
    throw new LossesUnknown(`${file} can't be read (${reason}); give the data file of ${region}'s node`, {
      cause,
    })
  }
}

function refuseOtherRelease(db: DatabaseSync, file: string): void {
  const { user_version: found } = versionRow.parse(db.prepare('PRAGMA user_version').get())
  if (found === MIGRATIONS.length) return
  throw new LossesUnknown(
    `${file} has schema version ${found}, and this release reads ${MIGRATIONS.length}; ` +
      `give the data file of a node of this release`,
  )
}

function refuseOtherRegion(db: DatabaseSync, file: string, region: string): void {
  const held = db.prepare('SELECT 1 FROM resident WHERE home_region = ? LIMIT 1').get(regionCell(region))
  const copied = db.prepare('SELECT 1 FROM copy WHERE home_region = ?').get(regionCell(region))
  if (held !== undefined && copied === undefined) return
  const what = held === undefined ? 'holds nobody of' : 'is of a node that follows'
  throw new LossesUnknown(`${file} ${what} ${region}; give the data file of that region's writer`)
}
