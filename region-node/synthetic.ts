// Makes synthetic residents from their ids alone, so that every node agrees on them without talking.
// Nothing here describes a real person.
import { createHash, createHmac } from 'node:crypto'
import type { CodeStatus, Resident, TestRecord, TestResult } from './resident.ts'

/** Changing it repaints every synthetic resident: all nodes of a federation must have the same. */
export const SYNTHETIC_SEED = 'chiyuan-synthetic-1'

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

/** Ids of a region's residents from number `from` to number `to`, both included: `R610100-000001`, ... */
export function* syntheticResidentIds(region: string, from: number, to: number): Generator<string> {
  for (let number = from; number <= to; number += 1) yield `R${region}-${String(number).padStart(6, '0')}`
}

/**
 * The resident of that id: about 90 % green, 8 % yellow, 2 % red.
 *
 * @param residentId Decides colour, token and tests, and nothing else does but `seed`.
 * @param homeRegion Division code of the resident's own region.
 */
export function syntheticResident(
  residentId: string,
  homeRegion: string,
  seed = SYNTHETIC_SEED,
): SyntheticResident {
  const residentToken = syntheticToken(residentId, seed)
  const dice = createHash('sha256').update(`${seed}|${residentId}`).digest()
  const status = colourOf(dice.readUInt32BE(0) / 2 ** 32)
  const tests = Array.from({ length: 1 + (dice.readUInt8(4) % 3) }, (_, age): TestRecord => {
    const sampledAtMs = SYNTHETIC_NOW_MS - age * 24 * HOUR_MS - (5 + (dice.readUInt8(5 + age) % 12)) * HOUR_MS
    return {
      testId: `${residentToken}-${age}`,
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
      residentId,
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

// 22 characters carry 132 bits: no two residents meet.
const syntheticToken = (residentId: string, seed: string): string =>
  createHmac('sha256', `${seed}|pepper`).update(residentId).digest('base64url').slice(0, 22)
