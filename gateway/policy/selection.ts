// Which node next: nearest level first, inside a level by the configured rule, never a node twice.
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Verdict } from '../model/outcome.ts'
import type { CodeNode } from '../model/region.ts'
import type { Home, Level } from '../model/snapshot.ts'
import { pairDraw } from './hash.ts'

export type Rule = 'sticky' | 'least-loaded'

/** What selection asks about nodes; the gateway answers from live state, the planner from a simulation. */
export interface Fleet {
  judge(node: CodeNode, home: RegionId, draw: number, canRetry: boolean, borrowed: boolean): Verdict
  inFlight(node: CodeNode): number
  /** Expected cost of one more request: peak-EWMA latency times requests open, in ms. */
  cost(node: CodeNode): number
}

export interface SelectionSettings {
  readonly rule: Rule
  /** Bounded load: a node takes at most this many times its fair share of its level's open requests. */
  readonly boundedLoad: number
  /** Open requests below which bounded load does not disturb stickiness. */
  readonly boundedLoadFloor: number
  /** Nodes of one level that a request tries before it looks further away, at least 1. */
  readonly triesPerLevel: number
}

/** The request, as far as selection cares. */
export interface Choice {
  /** Keyed 32-bit hash of the resident, or a random number where none is known. */
  readonly key: number
  readonly canRetry: boolean
  readonly tried: readonly NodeId[]
}

export interface Pick {
  readonly node: CodeNode
  readonly level: Level
}

/**
 * The next node for a request.
 *
 * First every node in good standing, nearest level first. Then those put off (stalled, or still ramping), then
 * those that only probes call unhealthy: with nothing better left the source of health is doubted (fail static),
 * while an open breaker, which is moved by real requests, is believed. A half-open one lets even a request that can't
 * be moved be its trial then. A node that says that it can't answer for that home is never among them.
 *
 * @returns `null` when nothing is left to try.
 */
export function nextNode(home: Home, fleet: Fleet, choice: Choice, settings: SelectionSettings): Pick | null {
  return (
    // A city whose nodes all died this second must not use up the tries that would reach its neighbour.
    (choice.tried.length < settings.triesPerLevel
      ? null
      : pickWhere(fewTried(home, choice, settings), fleet, choice, settings, isOk)) ??
    pickWhere(home, fleet, choice, settings, isOk) ??
    pickWhere(home, fleet, choice, settings, isPutOff) ??
    pickWhere(home, fleet, choice, settings, isDoubted)
  )
}

function fewTried(home: Home, { tried }: Choice, { triesPerLevel }: SelectionSettings): Home {
  const few = ({ nodes }: Level): boolean =>
    nodes.reduce((count, { id }) => count + (tried.includes(id) ? 1 : 0), 0) < triesPerLevel
  return { region: home.region, levels: home.levels.filter(few) }
}

const isOk = (verdict: Verdict): boolean => verdict === 'ok'
const isPutOff = (verdict: Verdict): boolean => verdict === 'stalled' || verdict === 'ramping'
const isDoubted = (verdict: Verdict): boolean => verdict === 'unhealthy' || verdict === 'on-trial'

function pickWhere(
  home: Home,
  fleet: Fleet,
  choice: Choice,
  settings: SelectionSettings,
  wanted: (verdict: Verdict) => boolean,
): Pick | null {
  for (const level of home.levels) {
    const node =
      settings.rule === 'sticky'
        ? rendezvous(home.region.code, level, fleet, choice, settings, wanted)
        : leastLoaded(home.region.code, level, fleet, choice, wanted)
    if (node !== null) return { node, level }
  }
  return null
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as -w/ln u) with bounded load
 * (Mirrokni, Thorup, Zadimoghaddam 2018): only a lost node's residents move, and none is swamped by them.
 */
function rendezvous(
  home: RegionId,
  level: Level,
  fleet: Fleet,
  choice: Choice,
  settings: SelectionSettings,
  wanted: (verdict: Verdict) => boolean,
): CodeNode | null {
  let best: CodeNode | null = null
  let bestScore = -1
  let overflow: CodeNode | null = null
  let overflowScore = -1
  const open = level.nodes.length > 1 ? openRequests(level, fleet) : 0
  for (const node of level.nodes) {
    if (choice.tried.includes(node.id)) continue
    const draw = pairDraw(choice.key, node.seed)
    if (!wanted(fleet.judge(node, home, draw, choice.canRetry, isBorrowed(level)))) continue
    const score = draw === 1 ? Number.MAX_VALUE : -node.weight / Math.log(draw)
    const bound = Math.max(
      settings.boundedLoadFloor,
      Math.ceil(((settings.boundedLoad * node.weight) / level.totalWeight) * (open + 1)),
    )
    if (fleet.inFlight(node) >= bound) {
      if (score > overflowScore) [overflow, overflowScore] = [node, score]
    } else if (score > bestScore) [best, bestScore] = [node, score]
  }
  return best ?? overflow
}

/** Whether a request at this level is served by another region than its home. */
export const isBorrowed = (level: Level): boolean => level.name !== 'local'

function openRequests(level: Level, fleet: Fleet): number {
  let open = 0
  for (const node of level.nodes) open += fleet.inFlight(node)
  return open
}

/** Power of two choices (Mitzenmacher 2001) on peak-EWMA cost (Finagle). */
function leastLoaded(
  home: RegionId,
  level: Level,
  fleet: Fleet,
  choice: Choice,
  wanted: (verdict: Verdict) => boolean,
): CodeNode | null {
  const able = level.nodes.filter(
    (node) =>
      !choice.tried.includes(node.id) &&
      wanted(fleet.judge(node, home, pairDraw(choice.key, node.seed), choice.canRetry, isBorrowed(level))),
  )
  const [first] = able
  if (first === undefined || able.length === 1) return first ?? null
  const i = choice.key % able.length
  const j = (i + 1 + ((choice.key >>> 8) % (able.length - 1))) % able.length
  const [a, b] = [able[i] ?? first, able[j] ?? first]
  return fleet.cost(a) / a.weight <= fleet.cost(b) / b.weight ? a : b
}
