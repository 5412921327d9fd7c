// The shape of the saturation part of docs/benchmarks/latest.json.
import type { Capacity } from '../capacity.ts'
import type { NodeName, Place } from '../federation.ts'
import type { ClassName } from '../load/mix.ts'
import type { LoadPhase } from '../load/open.ts'
import type { Lateness } from './late.ts'

/** What a node had to do in a run, warm-up included. */
export interface NodeLoad {
  readonly node: NodeName
  /** Requests that it can answer a second. */
  readonly capacity: number
  readonly served: number
  readonly done: number
  /** Time in its queue, ms. */
  readonly waitedMeanMs: number
  readonly waitedMostMs: number
  readonly openMost: number
}

/** Of the requests of the crowd, by their intended send time. `Good` is a whole 200 within `goodWithinMs`. */
export interface CrowdFigures extends Lateness {
  readonly offered: number
  readonly goodShare: number
  /** What the nodes could answer in the crowd's time, over what was offered; at most 1. */
  readonly possibleShare: number
  /** Of the good answers, ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers of 429, 502 or 503: how many, and how long they took, ms. */
  readonly refused: number
  readonly refusedP99Ms: number
  /** All ends but good ones: statuses, `200 too late`, `no answer`, what became of the connection. */
  readonly otherEnds: Readonly<Record<string, number>>
  /** Who gave the good answers. */
  readonly answeredBy: Readonly<Record<Place, number>>
  /** CPU of the contender per offered request, microseconds. */
  readonly cpuUs: number
  /** From the step until good answers are steadily at 90 % of what they come to later; null: never. */
  readonly learntMs: number | null
  /** Share of good answers in each half second of the crowd. */
  readonly goodByBin: readonly number[]
  /** Share of requests that local nodes answered well, in each half second of the crowd. */
  readonly localByBin: readonly number[]
  /** Swings of `localByBin` by more than 20 points. */
  readonly swings: number
  /** Null where classes play no part. */
  readonly goodByClass: Readonly<Record<ClassName, number>> | null
  /** The load after the crowd; null where there is none. */
  readonly after: {
    /** From the crowd's end until local nodes steadily answer 95 %; null: not in the time measured. */
    readonly homeMs: number | null
    readonly goodShare: number
    readonly localByBin: readonly number[]
  } | null
}

export interface SaturationResult extends CrowdFigures {
  readonly contender: string
  readonly loads: readonly NodeLoad[]
  /** Most requests at all nodes together at one time; null where the nodes did not note it. */
  readonly openAtOnceMost: number | null
  /** Counters of Chiyuan's own after the load; null for others. */
  readonly counters: Readonly<Record<string, number>> | null
}

export interface SaturatedScenario {
  readonly scenario: string
  readonly title: string
  readonly capacity: Capacity
  readonly warmUp: LoadPhase
  readonly crowd: LoadPhase
  readonly after: LoadPhase | null
  readonly results: readonly SaturationResult[]
}

export interface SaturationPart {
  readonly jitterShare: number
  readonly clientTimeoutMs: number
  /** Runs begun although other programs were busy on our cores. */
  readonly noisyStarts: number
  readonly scenarios: readonly SaturatedScenario[]
}
