// Keeps donors warm: a small share of real requests goes to the next level before it is needed.
import type { Home } from '../model/snapshot.ts'

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
