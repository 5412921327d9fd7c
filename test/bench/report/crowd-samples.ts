// From the samples of one crowd to what is reported of it.
import { totalOf } from '../capacity.ts'
import { type Place, placeOf } from '../federation.ts'
import { type ClassName, classNames } from '../load/mix.ts'
import type { Sample } from '../load/open.ts'
import type { SaturationScenario } from '../saturation-scenarios.ts'
import { median, quantile, rounded } from '../stats.ts'
import { latenessOf } from './late.ts'
import { countBy } from './samples.ts'
import type { CrowdFigures } from './saturation-results.ts'

/** An answer that comes later helps nobody at a checkpoint. */
export const goodWithinMs = 1000
export const binMs = 500
const swing = 0.2

const isGood = ({ end, latencyMs }: Sample): boolean => end === '200' && latencyMs <= goodWithinMs
const isRefused = ({ end }: Sample): boolean => end === '429' || end === '502' || end === '503'
const isLocal = (sample: Sample): boolean =>
  isGood(sample) && sample.node !== null && placeOf(sample.node) === 'local'

/** @param cpuMs Of the contender while the crowd was there. */
export function summarizeCrowd(
  samples: readonly Sample[],
  { crowd, after, capacity, mix }: SaturationScenario,
  cpuMs: number,
): CrowdFigures {
  const inCrowd = samples.filter(({ atMs }) => atMs < crowd.lengthMs)
  const good = inCrowd.filter(isGood)
  const refused = inCrowd.filter(isRefused)
  const goodByBin = shareByBin(inCrowd, 0, crowd.lengthMs, isGood)
  const localByBin = shareByBin(inCrowd, 0, crowd.lengthMs, isLocal)
  const possible = (totalOf(capacity) * crowd.lengthMs) / 1000
  const possibleShare = rounded(Math.min(1, possible / inCrowd.length), 4)
  return {
    offered: inCrowd.length,
    goodShare: shareOf(inCrowd, isGood),
    possibleShare,
    p50Ms: latencyOf(good, 0.5),
    p99Ms: latencyOf(good, 0.99),
    refused: refused.length,
    refusedP99Ms: latencyOf(refused, 0.99),
    otherEnds: countBy(
      inCrowd.filter((each) => !isGood(each)).map(({ end }) => (end === '200' ? '200 too late' : end)),
    ),
    answeredBy: answeredBy(good),
    cpuUs: rounded((cpuMs * 1000) / inCrowd.length, 1),
    learntMs: learntAfter(goodByBin, possibleShare),
    goodByBin,
    localByBin,
    swings: countSwings(localByBin),
    goodByClass: mix === 'classes' ? byClass(inCrowd) : null,
    after: after === null ? null : afterwards(samples, crowd.lengthMs, after.lengthMs),
    ...latenessOf(samples),
  }
}

function afterwards(samples: readonly Sample[], fromMs: number, lengthMs: number): CrowdFigures['after'] {
  const later = samples.filter(({ atMs }) => atMs >= fromMs)
  const localByBin = shareByBin(later, fromMs, lengthMs, isLocal)
  return { homeMs: steadyFrom(localByBin, 0.95), goodShare: shareOf(later, isGood), localByBin }
}

const shareOf = (samples: readonly Sample[], counts: (sample: Sample) => boolean): number =>
  rounded(samples.filter(counts).length / Math.max(1, samples.length), 4)

const latencyOf = (samples: readonly Sample[], q: number): number =>
  rounded(
    quantile(
      samples.map(({ latencyMs }) => latencyMs),
      q,
    ),
    1,
  )

function shareByBin(
  samples: readonly Sample[],
  fromMs: number,
  lengthMs: number,
  counts: (sample: Sample) => boolean,
): number[] {
  const bins = Array.from({ length: Math.ceil(lengthMs / binMs) }, () => ({ all: 0, counted: 0 }))
  for (const sample of samples) {
    const bin = bins[Math.floor((sample.atMs - fromMs) / binMs)]
    if (bin === undefined) continue
    bin.all += 1
    if (counts(sample)) bin.counted += 1
  }
  return bins.map(({ all, counted }) => rounded(counted / Math.max(1, all), 3))
}

/** Who ends up below half of what is possible has learnt no limit, however soon he got there. */
function learntAfter(goodByBin: readonly number[], possibleShare: number): number | null {
  const later = median(goodByBin.slice(Math.floor(goodByBin.length / 2)))
  return later < possibleShare / 2 ? null : steadyFrom(goodByBin, 0.9 * later)
}

/**
 * Two bins in a row: the first half second of a crowd is answered well by empty queues, whoever is in front of them.
 * @returns Start of the first bin that is at `level` and whose successor is too, ms. Null: none.
 */
function steadyFrom(bins: readonly number[], level: number): number | null {
  const first = bins.findIndex((share, i) => share >= level && (bins[i + 1] ?? -1) >= level)
  return first < 0 ? null : first * binMs
}

/** Turns of more than 20 points up or down, however many bins each takes; the first move counts as one. */
function countSwings(bins: readonly number[]): number {
  let swings = 0
  let direction: 'up' | 'down' | 'none' = 'none'
  let low = bins[0] ?? 0
  let high = low
  for (const share of bins) {
    low = Math.min(low, share)
    high = Math.max(high, share)
    if (direction !== 'down' && high - share > swing) direction = 'down'
    else if (direction !== 'up' && share - low > swing) direction = 'up'
    else continue
    swings += 1
    low = share
    high = share
  }
  return swings
}

function answeredBy(samples: readonly Sample[]): Record<Place, number> {
  const counts: Record<Place, number> = { local: 0, neighbour: 0, province: 0 }
  for (const { node } of samples) if (node !== null) counts[placeOf(node)] += 1
  return counts
}

function byClass(samples: readonly Sample[]): Record<ClassName, number> {
  const shares: Record<ClassName, number> = { critical: 0, important: 0, deferrable: 0 }
  for (const name of classNames)
    shares[name] = shareOf(
      samples.filter(({ kind }) => kind === name),
      isGood,
    )
  return shares
}
