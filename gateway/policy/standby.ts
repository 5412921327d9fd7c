// Keeps donors warm: a small share of real requests goes to the next level before it is needed.
import type { Home } from '../model/snapshot.ts'
import { pairDraw } from './hash.ts'
import {
  type Choice,
  type Fleet,
  isBorrowed,
  nextNode,
  type Pick,
  type SelectionSettings,
} from './selection.ts'

/**
 * A donor that never serves has cold caches and connections, an unknown limit and unseen faults on the day of need.
 *
 * @param warmShare Share of requests that go past the nearest level, 0 to 1.
 * @param draw Uniform in [0, 1).
 * @returns The levels that this request starts from.
 */
export function levelsFor(home: Home, warmShare: number, draw: number): Home {
  if (draw >= warmShare || home.levels.length < 2) return home
  return { region: home.region, levels: home.levels.slice(1) }
}

/** The first node of a request, past the nearest level where it is one that keeps donors warm. */
export function firstNode(
  home: Home,
  fleet: Fleet,
  choice: Choice,
  settings: SelectionSettings,
  warm: { readonly share: number; readonly draw: number },
): Pick | null {
  const from = levelsFor(home, warm.share, warm.draw)
  if (from !== home) {
    const pick = nextNode(from, fleet, choice, settings)
    // Warming must not cost: a node that is only not quite given up is for those who have no better.
    if (pick !== null && isInGoodStanding(home, pick, fleet, choice)) return pick
  }
  return nextNode(home, fleet, choice, settings)
}

const isInGoodStanding = (
  { region }: Home,
  { node, level }: Pick,
  fleet: Fleet,
  { key, canRetry }: Choice,
): boolean => fleet.judge(node, region.code, pairDraw(key, node.seed), canRetry, isBorrowed(level)) === 'ok'
