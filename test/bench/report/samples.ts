// From the samples of one load to what is reported of it.
import { type Place, placeOf } from '../federation.ts'
import type { Sample } from '../load/open.ts'
import { quantile, rounded } from '../stats.ts'
import { latenessOf } from './late.ts'
import type { FaultResult, Latencies, Phase, WorstRequest } from './results.ts'

interface Times {
  readonly ratePerSecond: number
  readonly warmUpMs: number
  readonly faultAtMs: number
  readonly recoverAtMs: number
}

const isGood = ({ end }: Sample): boolean => end === '200'

/** @param served Requests that reached each node, those of the warm-up included. */
export function summarizeSamples(
  contender: string,
  samples: readonly Sample[],
  { ratePerSecond, warmUpMs, faultAtMs, recoverAtMs }: Times,
  served: readonly number[] | null,
  counters: Readonly<Record<string, number>> | null,
): FaultResult {
  const inPhase = (from: number, to: number): readonly Sample[] =>
    samples.filter(({ atMs }) => atMs >= from && atMs < to)
  const sent = samples.length + (warmUpMs * ratePerSecond) / 1000
  const phases: Record<Phase, FaultResult['phases'][Phase]> = {
    before: phaseOf(inPhase(-Infinity, faultAtMs)),
    during: phaseOf(inPhase(faultAtMs, recoverAtMs)),
    after: phaseOf(inPhase(recoverAtMs, Infinity)),
  }
  const whole = latenciesOf(samples)
  return {
    contender,
    ...whole,
    ...latenessOf(samples),
    failedShare: rounded(whole.failed / Math.max(1, whole.sent), 5),
    failures: countBy(samples.filter((sample) => !isGood(sample)).map(({ end }) => end)),
    resent: samples.filter(({ resent }) => resent).length,
    worst: worstOf(samples),
    phases,
    nodeRequestsPerRequest:
      served === null ? null : rounded(served.reduce((sum, count) => sum + count, 0) / sent, 3),
    counters,
  }
}

/** Failed requests count with the time until they failed: their residents waited as well. */
const latenciesOf = (samples: readonly Sample[]): Latencies => {
  const latencies = samples.map(({ latencyMs }) => latencyMs)
  return {
    sent: samples.length,
    failed: samples.filter((sample) => !isGood(sample)).length,
    p50Ms: rounded(quantile(latencies, 0.5), 1),
    p99Ms: rounded(quantile(latencies, 0.99), 1),
    maxMs: rounded(Math.max(0, ...latencies), 1),
  }
}

function phaseOf(samples: readonly Sample[]): FaultResult['phases'][Phase] {
  const answeredBy: Record<Place, number> = { local: 0, neighbour: 0, province: 0 }
  for (const { end, node } of samples) if (end === '200' && node !== null) answeredBy[placeOf(node)] += 1
  return { ...latenciesOf(samples), answeredBy }
}

function worstOf(samples: readonly Sample[]): WorstRequest | null {
  const worst = samples.toSorted((a, b) => b.latencyMs - a.latencyMs)[0]
  if (worst === undefined) return null
  const { atMs, latencyMs, end, node } = worst
  return { atMs: rounded(atMs, 0), latencyMs: rounded(latencyMs, 1), end, node }
}

export function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
