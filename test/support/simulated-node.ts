// A node with slots and a queue without bound, in virtual time, behind a limit that learns. Everything is seeded.
import type { AdaptiveLimit } from '../../gateway/policy/concurrency.ts'

/** What is simulated needs of a limit. */
export type Limit = Pick<AdaptiveLimit, 'limit' | 'began' | 'answered'>

export interface Node {
  readonly slots: number
  /** Service time of one request, ms. */
  readonly serviceMs: (draw: number, now: number) => number
}

/** One second of a simulation. */
export interface Second {
  readonly limit: number
  readonly done: number
  readonly turnedAway: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export const evenly =
  (meanMs: number) =>
  (draw: number): number =>
    meanMs * (0.75 + draw * 0.5)
export const exponentially =
  (meanMs: number) =>
  (draw: number): number =>
    -meanMs * Math.log(1 - draw)

/**
 * Poisson arrivals at `rate(now)` a second for `seconds`; what finds no place under the limit is turned away.
 */
export function simulate(
  limit: Limit,
  node: Node,
  rate: (now: number) => number,
  seconds: number,
  seed = 1,
): Second[] {
  const draw = seeded(seed)
  const freeAt = new Float64Array(node.slots)
  // Completions that are still to come, soonest first; an insertion near the end of a short list.
  const due: { at: number; sent: number }[] = []
  const result: Second[] = []
  let bin = emptyBin()
  let now = 0
  while (result.length < seconds) {
    const next = now - (Math.log(1 - draw()) * 1000) / rate(now)
    while (due[0] !== undefined && due[0].at <= next) {
      const { at, sent } = due.shift() ?? { at: 0, sent: 0 }
      const latencyMs = at - sent + 0.5
      limit.answered(latencyMs, at, 0)
      bin.latencies.push(latencyMs)
    }
    now = next
    while (now >= (result.length + 1) * 1000 && result.length < seconds) {
      result.push(summed(bin, limit.limit))
      bin = emptyBin()
    }
    if (due.length >= limit.limit) {
      bin.turnedAway += 1
      continue
    }
    limit.began(due.length + 1, now)
    insert(due, { at: take(freeAt, now, node.serviceMs(draw(), now)), sent: now })
  }
  return result
}

interface Bin {
  readonly latencies: number[]
  turnedAway: number
}

const emptyBin = (): Bin => ({ latencies: [], turnedAway: 0 })

/** The soonest free slot takes it, first come, first served. Returns when it is done. */
function take(freeAt: Float64Array, now: number, serviceMs: number): number {
  let soonest = 0
  for (let i = 1; i < freeAt.length; i++) if ((freeAt[i] ?? 0) < (freeAt[soonest] ?? 0)) soonest = i
  const end = Math.max(now, freeAt[soonest] ?? 0) + serviceMs
  freeAt[soonest] = end
  return end
}

function insert(due: { at: number; sent: number }[], one: { at: number; sent: number }): void {
  let at = due.length
  while (at > 0 && (due[at - 1]?.at ?? 0) > one.at) at -= 1
  due.splice(at, 0, one)
}

function summed({ latencies, turnedAway }: Bin, limit: number): Second {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
  return { limit, done: sorted.length, turnedAway, p50Ms: at(0.5), p99Ms: at(0.99) }
}
