// The shape of docs/benchmarks/latest.json.
import type { Place } from '../federation.ts'
import type { Machine } from '../machine.ts'
import type { Lateness } from './late.ts'
import type { SaturationPart } from './saturation-results.ts'

export interface Round {
  /** CPU of the contender per answered request, microseconds. */
  readonly cpuUs: number
  /** Requests answered a second. */
  readonly perSecond: number
  /** CPU of the contender over wall time; near 1 where its core was the limit. */
  readonly coreShare: number
  /** What everybody else used of the contender's core, over wall time. Null where nothing is pinned. */
  readonly othersShare: number | null
  readonly answered: number
  readonly errors: number
}

export interface CpuResult {
  readonly contender: string
  /** Medians of the rounds, and the extremes. */
  readonly cpuUs: number
  readonly cpuUsLeast: number
  readonly cpuUsMost: number
  /** CPU per request over Chiyuan's in the same round; median. Null without Chiyuan. */
  readonly toOurs: number | null
  readonly perSecond: number
  readonly coreShare: number
  readonly errors: number
  readonly rounds: readonly Round[]
}

export interface CpuPart {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly connections: number
  readonly client: 'wrk' | 'node'
  readonly upstream: 'nginx' | 'node'
  /** Rounds begun although other programs were busy on our cores. */
  readonly noisyStarts: number
  readonly results: readonly CpuResult[]
}

export interface Latencies {
  readonly sent: number
  readonly failed: number
  /** From the intended send time to the last byte or the failure, ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface WorstRequest {
  /** Intended send time, ms from the start of the measured load. */
  readonly atMs: number
  readonly latencyMs: number
  /** `200`, another status, or what became of the connection. */
  readonly end: string
  readonly node: string | null
}

export interface FaultResult extends Latencies, Lateness {
  readonly contender: string
  /** Failed requests over all, 0 to 1. */
  readonly failedShare: number
  /** How the failed ones ended, and how many each. */
  readonly failures: Readonly<Record<string, number>>
  /** Requests that the client had to send twice, since its kept connection was cut without an answer. */
  readonly resent: number
  readonly worst: WorstRequest | null
  readonly phases: Readonly<
    Record<Phase, Latencies & { readonly answeredBy: Readonly<Record<Place, number>> }>
  >
  /** Requests that reached the nodes, probes aside, for each request sent. Null where a node's count died with it. */
  readonly nodeRequestsPerRequest: number | null
  /** Counters of Chiyuan's own after the load; null for others. */
  readonly counters: Readonly<Record<string, number>> | null
}

/** Requests by their intended send time: before the fault, under it, after its end. */
export type Phase = 'before' | 'during' | 'after'

export interface ScenarioResult {
  readonly scenario: string
  readonly title: string
  readonly results: readonly FaultResult[]
}

export interface FaultPart {
  readonly ratePerSecond: number
  readonly serviceMs: number
  readonly faultAtMs: number
  readonly recoverAtMs: number
  readonly endAtMs: number
  /** A request without an answer by then has failed, ms. */
  readonly clientTimeoutMs: number
  /** Runs begun although other programs were busy on our cores. */
  readonly noisyStarts: number
  readonly scenarios: readonly ScenarioResult[]
}

export interface Report {
  readonly date: string
  readonly machine: Machine
  /** Quick runs are for trying the harness; their figures are no result. */
  readonly quick: boolean
  readonly contenders: readonly { readonly name: string; readonly title: string; readonly version: string }[]
  /** Who did not take part, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[]
  /** Contenders whose version is another at the end than at the beginning: figures of two programs in one. */
  readonly changedMeanwhile: readonly string[]
  readonly cpu: CpuPart | null
  readonly faults: FaultPart | null
  readonly saturation: SaturationPart | null
}
