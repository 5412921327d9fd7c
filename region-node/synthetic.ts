// Makes synthetic residents from their ids alone, so that every node agrees on them without talking.
// Nothing here describes a real person.
import { createHash, createSecretKey } from 'node:crypto'
import type { CodeStatus, Resident, TestRecord, TestResult } from './resident.ts'
import { subjectToken } from './tokens/subject-token.ts'
import { uuidOf } from './uuid.ts'

/** Changing it repaints every synthetic resident: all nodes that hold a region must have the same. */
export const SYNTHETIC_SEED = syntheticSeed(1)

/** @param number Any; 1 is what a node that seeds itself uses. */
export function syntheticSeed(number: number): string {
  return `chiyuan-synthetic-${number}`
}

// Public, because ids that everybody can count need no hiding. Real documents have a pepper of their own.
const SYNTHETIC_PEPPER = createSecretKey('chiyuan pepper of synthetic residents', 'utf8')

// 09:00 in Xi'an on 2022-01-04. Fixed, because times taken from a clock would differ between nodes.
const SYNTHETIC_NOW_MS = Date.UTC(2022, 0, 4, 1)
const HOUR_MS = 3_600_000
const REPORT_DELAY_MS = 4 * HOUR_MS

const RED_SHARE = 0.02
const YELLOW_SHARE = 0.08

const LATEST_RESULT: Record<CodeStatus, TestResult> = {
  green: 'negative',
  yellow: 'pending',
  red: 'positive',
}

export interface SyntheticResident {
  readonly resident: Resident
  /** One to three tests, newest first. */
  readonly tests: readonly TestRecord[]
}

/** Id of a region's resident number `number`: `R610100-000001`, ... */
export const syntheticResidentId = (region: string, number: number): string =>
  `R${region}-${String(number).padStart(6, '0')}`

/** Ids of a region's residents from number `from` to number `to`, both included: `R610100-000001`, ... */
export function* syntheticResidentIds(region: string, from: number, to: number): Generator<string> {
  for (let number = from; number <= to; number += 1) yield syntheticResidentId(region, number)
}

/**
 * The resident of that id: about 90 % green, 8 % yellow, 2 % red.
 *
 * @param residentId Decides token, colour and tests; colour and tests also by `seed`.
 * @param homeRegion Division code of the resident's own region.
 */
export function syntheticResident(
  residentId: string,
  homeRegion: string,
  seed = SYNTHETIC_SEED,
): SyntheticResident {
  const residentToken = syntheticToken(residentId)
  const dice = createHash('sha256').update(`${seed}|${residentId}`).digest()
  const status = colourOf(dice.readUInt32BE(0) / 2 ** 32)
  const tests = Array.from({ length: 1 + (dice.readUInt8(4) % 3) }, (_, age): TestRecord => {
    const sampledAtMs = SYNTHETIC_NOW_MS - age * 24 * HOUR_MS - (5 + (dice.readUInt8(5 + age) % 12)) * HOUR_MS
    return {
      testId: testIdOf(dice, age),
      result: age === 0 ? LATEST_RESULT[status] : 'negative',
      sampledAtMs,
      reportedAtMs: sampledAtMs + REPORT_DELAY_MS,
      laboratory: `lab-${homeRegion}-${1 + (dice.readUInt8(8 + age) % 5)}`,
      originRegion: homeRegion,
    }
  })
  const latest = tests[0]
  return {
    resident: {
      residentToken,
      homeRegion,
      status,
      updatedAtMs: latest?.reportedAtMs ?? SYNTHETIC_NOW_MS,
      testTimeMs: latest?.sampledAtMs ?? null,
      testResult: latest?.result ?? null,
    },
    tests,
  }
}

const colourOf = (share: number): CodeStatus => {
  if (share < RED_SHARE) return 'red'
  return share < RED_SHARE + YELLOW_SHARE ? 'yellow' : 'green'
}

/** The token of a synthetic resident, on every node, whatever the seed of his colour. */
export const syntheticToken = (residentId: string): string =>
  subjectToken(SYNTHETIC_PEPPER, { type: 'synthetic', number: residentId })

/** Made of bytes of the dice that decide nothing else. */
function testIdOf(dice: Buffer, age: number): string {
  const bytes = Buffer.from(dice.subarray(16))
  bytes.writeUInt8(age, 15)
  return uuidOf(bytes)
}
