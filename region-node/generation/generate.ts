// Makes a node's data file with a whole city of synthetic residents. Nobody in it is real.
import { setImmediate as yieldToEvents } from 'node:timers/promises'
import type { KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { StartError } from '../start-error.ts'
import { createBulkDatabase } from '../store/database.ts'
import { tokenCell } from '../store/encoding.ts'
import { feedTable } from '../store/feed.ts'
import { holdingTable } from '../store/holdings.ts'
import { residentTable } from '../store/residents.ts'
import { testTable } from '../store/tests.ts'
import { syntheticResident, syntheticResidentId, syntheticToken } from '../synthetic.ts'
import { subjectToken } from '../tokens/subject-token.ts'
import { syntheticCitizenNumber } from '../tokens/synthetic-number.ts'
import {
  claimTarget,
  partialOf,
  publish,
  refuseWithoutRoom,
  removeDatabase,
  writeFault,
} from './target-file.ts'
import { TokenOrder } from './token-order.ts'

export interface Generation {
  /** Division code whose residents they are. */
  readonly region: string
  /** 1 to 100,000,000. */
  readonly count: number
  /** The data file to make. */
  readonly file: string
  /** Decides colours and tests; a node that seeds itself uses {@link SYNTHETIC_SEED}. */
  readonly seed: string
  /** Whether each resident gets one to three earlier tests. */
  readonly tests: boolean
  /** Whether a data file that is there may be replaced. */
  readonly force: boolean
  /** Given: resident n stands under the token of the n-th ID card that is nobody's, made with this pepper. */
  readonly pepper?: KeyObject | undefined
  /** Unix milliseconds: when the data count as loaded. */
  readonly nowMs: number
}

export interface GenerationReport {
  /** `ordering` finds the tokens, `writing` writes the rows. */
  step(name: 'ordering' | 'writing'): void
  done(residents: number): void
  note(text: string): void
}

// Long enough that looking up costs nothing, short enough that Ctrl-C is heard at once.
const SLICE = 5_000
const ROWS_A_COMMIT = 500_000

// Measured on 13 million, with a little room.
const RESIDENT_BYTES = 90
const TESTS_BYTES = 165

/**
 * @param signal Stops it: nothing is left behind then.
 * @throws {StartError} In one line, what is wrong, and nothing is left behind.
 */
export async function generateResidents(
  generation: Generation,
  report: GenerationReport,
  signal: AbortSignal,
): Promise<void> {
  const { file, count, force, tests } = generation
  if (claimTarget(file, force)) report.note(`removed what an interrupted run had left: ${partialOf(file)}`)
  try {
    refuseWithoutRoom(file, count * (RESIDENT_BYTES + (tests ? TESTS_BYTES : 0)))
    const db = createBulkDatabase(partialOf(file))
    try {
      report.step('ordering')
      const order = await orderByToken(generation, report, signal)
      report.step('writing')
      await writeRows(db, generation, order, report, signal)
    } finally {
      db.close()
    }
    publish(file)
  } catch (error) {
    removeDatabase(partialOf(file))
    if (error instanceof StartError || signal.aborted) throw error
    throw writeFault(error, file)
  }
}

async function orderByToken(
  generation: Generation,
  report: GenerationReport,
  signal: AbortSignal,
): Promise<TokenOrder> {
  const { count } = generation
  const order = new TokenOrder(count)
  for (let number = 1; number <= count; number += 1) {
    order.add(number, tokenCell(tokenOf(generation, number)))
    if (number % SLICE === 0) await breathe(number, report, signal)
  }
  order.sort()
  return order
}

async function writeRows(
  db: DatabaseSync,
  generation: Generation,
  order: TokenOrder,
  report: GenerationReport,
  signal: AbortSignal,
): Promise<void> {
  const { region, count, seed, tests, nowMs } = generation
  const residents = residentTable(db, feedTable(db))
  const testResults = testTable(db)
  db.exec('BEGIN')
  for (let place = 0; place < count; place += 1) {
    const made = syntheticResident(syntheticResidentId(region, order.at(place)), region, seed)
    const residentToken = tokenOf(generation, order.at(place))
    residents.add({ ...made.resident, residentToken })
    // Oldest first, which is the order of their key.
    if (tests) for (const test of made.tests.toReversed()) testResults.add(residentToken, test)
    if ((place + 1) % SLICE === 0) await breathe(place + 1, report, signal)
    if ((place + 1) % ROWS_A_COMMIT === 0) db.exec('COMMIT; BEGIN')
  }
  holdingTable(db).put({ region, residents: count, refreshedAtMs: nowMs })
  db.exec('COMMIT')
  report.done(count)
}

function tokenOf({ region, pepper }: Generation, number: number): string {
  if (pepper === undefined) return syntheticToken(syntheticResidentId(region, number))
  return subjectToken(pepper, {
    type: 'resident-id-card',
    number: syntheticCitizenNumber(number - 1, region),
  })
}

async function breathe(residents: number, report: GenerationReport, signal: AbortSignal): Promise<void> {
  report.done(residents)
  await yieldToEvents()
  signal.throwIfAborted()
}
