// The nouns of a code service: residents, their colours and their tests. Synthetic people only.
import { z } from 'zod'

/** A six-digit division code (vocabulary aligned with GB/T 2260), such as `610100`. */
export const regionCodeSchema = z
  .string()
  .regex(/^\d{6}$/, 'must be a six-digit division code such as 610100')

/**
 * How a request names a resident: an opaque synthetic id such as `R610100-000001`, or a token id, which a
 * gateway puts in place of a document number. Never a real identity number.
 */
export const residentIdSchema = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9_-]{1,64}|t(?:\.[A-Za-z0-9_-]{21}[AQgw]){1,4})$/,
    'must be 1 to 64 letters, digits, "_" or "-", such as R610100-000001, or a token id such as t.TOKEN',
  )

export const codeStatusSchema = z.enum(['green', 'yellow', 'red'])
export const testResultSchema = z.enum(['negative', 'positive', 'pending'])

export type CodeStatus = z.infer<typeof codeStatusSchema>
export type TestResult = z.infer<typeof testResultSchema>

/** How near to home's own word an answer is; see `freshnessFor`. */
export type Freshness = 'live' | 'replica' | 'stale'

/** What the node knows of one resident. Times are Unix milliseconds. */
export interface Resident {
  /** The opaque name by which the store and all others know the resident; the same on every node. */
  readonly residentToken: string
  readonly homeRegion: string
  readonly status: CodeStatus
  readonly updatedAtMs: number
  /** When the newest test was sampled; null when there never was one. */
  readonly testTimeMs: number | null
  readonly testResult: TestResult | null
}

/** One test result. Times are Unix milliseconds. */
export interface TestRecord {
  readonly testId: string
  readonly result: TestResult
  readonly sampledAtMs: number
  /** When a node accepted it. */
  readonly reportedAtMs: number
  readonly laboratory: string | null
  /** The region whose node accepted it: not the home region when a backup did. */
  readonly originRegion: string
}

/** A resident's registration for screening. Times are Unix milliseconds. */
export interface Registration {
  readonly registrationId: string
  /** The sampling point. */
  readonly siteId: string
  readonly tubeId: string | null
  readonly registeredAtMs: number
  /** When a node accepted it. */
  readonly receivedAtMs: number
  /** The region whose node accepted it: not the home region when a backup did. */
  readonly originRegion: string
}

// A test may only worsen a colour. To better one is the home authority's own decision, and a backup
// that did so would show a resident a colour better than home's last.
export const statusAfter = (current: CodeStatus, result: TestResult): CodeStatus =>
  result === 'positive' ? 'red' : current

/** A sample taken before the newest known one still worsens the colour, but isn't the newest test. */
export function afterTest(
  resident: Resident,
  { result, sampledAtMs, reportedAtMs }: Pick<TestRecord, 'result' | 'sampledAtMs' | 'reportedAtMs'>,
): Resident {
  const status = statusAfter(resident.status, result)
  const changed = { ...resident, status, updatedAtMs: Math.max(resident.updatedAtMs, reportedAtMs) }
  if (resident.testTimeMs !== null && sampledAtMs < resident.testTimeMs) return changed
  return { ...changed, testTimeMs: sampledAtMs, testResult: result }
}

/** The more restrictive of two colours. */
export const atLeast = (current: CodeStatus, least: CodeStatus): CodeStatus =>
  SEVERITY[current] >= SEVERITY[least] ? current : least

const SEVERITY: Record<CodeStatus, number> = { green: 0, yellow: 1, red: 2 }
