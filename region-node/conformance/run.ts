// Runs the checks against one node, one after the other, and gathers their verdicts.
import type { RootKey } from '../verify/lists.ts'
import { allChecks } from './all-checks.ts'
import { fillNode } from './burst.ts'
import type { Burst } from './burst.ts'
import type { Check, Facts, Verdict } from './check.ts'
import { fail } from './check.ts'
import { SYNTHETIC_NUMBER, unknownResidentId } from './checks/errors.ts'
import { ConformanceClient, NoAnswer } from './client.ts'
import type { Issued } from './issued.ts'
import { issueTwice } from './issued.ts'
import { fetchTrust } from './trust-held.ts'
import type { TrustHeld } from './trust-held.ts'

export interface RunOptions {
  readonly url: URL
  readonly home: string
  readonly otherHome: string
  readonly residents: readonly [string, ...string[]]
  /** The verifier's own; undefined to go by the one that the node serves. */
  readonly roots?: readonly RootKey[] | undefined
  readonly expiredCode?: string | undefined
  readonly write: boolean
  readonly overload: boolean
  /** Of one request, ms. */
  readonly timeoutMs: number
  /** Of the run; what is left then fails unjudged. Default 180,000 ms. */
  readonly runMs?: number
  readonly onProgress?: (done: number, of: number, id: string) => void
}

export interface Judged {
  readonly check: Check
  readonly verdict: Verdict
}

export interface Scorecard {
  readonly home: string
  readonly rootFrom: TrustHeld['rootFrom']
  readonly judged: readonly Judged[]
  readonly requests: number
  /** No `must` failed; some may have been skipped. */
  readonly conforms: boolean
}

const DEFAULT_RUN_MS = 180_000

/** @throws {NoAnswer} of kind `unreachable` when there is nobody at the URL. */
export async function runConformance(options: RunOptions): Promise<Scorecard> {
  const { url, home, residents, timeoutMs, onProgress } = options
  const ids = [...residents, unknownResidentId(home), SYNTHETIC_NUMBER]
  await using client = new ConformanceClient({ url, timeoutMs, ids })
  await mustReach(client)
  const endsAt = performance.now() + (options.runMs ?? DEFAULT_RUN_MS)
  const trust = await fetchTrust(client, options.roots, Date.now())
  const facts = factsOf(client, options, trust)
  const judged: Judged[] = []
  for (const check of allChecks) {
    onProgress?.(judged.length, allChecks.length, check.id)
    const verdict = performance.now() < endsAt ? await judge(check, client, facts) : outOfTime
    judged.push({ check, verdict })
  }
  const conforms = !judged.some(({ check, verdict }) => check.level === 'must' && verdict.outcome === 'fail')
  return { home, rootFrom: trust.rootFrom, judged, requests: client.requests, conforms }
}

/** Any answer is one, also none in time: the checks will tell. @throws {NoAnswer} */
async function mustReach(client: ConformanceClient): Promise<void> {
  try {
    await client.ask({ name: '/healthz', path: '/healthz' })
  } catch (cause) {
    if (!(cause instanceof NoAnswer) || cause.kind === 'unreachable') throw cause
  }
}

function factsOf(client: ConformanceClient, options: RunOptions, trust: TrustHeld): Facts {
  let issued: Promise<Issued> | undefined
  let burst: Promise<Burst> | undefined
  const { home, otherHome, residents, expiredCode, write, overload } = options
  return {
    home,
    otherHome,
    residents,
    expiredCode,
    write,
    overload,
    clock: Date.now,
    trust,
    issued: () => (issued ??= issueTwice(client, residents[0])),
    burst: () => (burst ??= fillNode(client, residents[0])),
  }
}

async function judge(check: Check, client: ConformanceClient, facts: Facts): Promise<Verdict> {
  try {
    return await check.judge(client, facts)
  } catch (cause) {
    if (!(cause instanceof NoAnswer)) throw cause
    return fail('a whole answer in time', cause.message, [
      '每个请求都须在时限内完整应答，且不中断连接',
      'answer every request whole and in time, and do not close the connection before',
    ])
  }
}

const outOfTime: Verdict = fail('a run within its time', 'it was over before this check', [
  '先解决超时的检查，再重新运行',
  'see to the checks that ran out of time, then run again',
])
