// What speaks against a change, seen in the forecast of what it would do.
import type { NodeId, RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { Forecast, HomeForecast } from './forecast.ts'

export interface GuardSettings {
  /** Levels that each home shall have left; all that it has, where it never had so many. */
  readonly minLevels: number
  /** Share of all capacity that shall stay free, 0 to 1. */
  readonly minRoomShare: number
  /** Part of what a donor may lend, or of its capacity, above which it is told, 0 to 1. */
  readonly donorUseAtMost: number
  /** So long before an enrolment ends it is told, ms. */
  readonly expiryNoticeMs: number
}

export const guardDefaults: GuardSettings = {
  minLevels: 2,
  minRoomShare: 0.2,
  donorUseAtMost: 0.8,
  expiryNoticeMs: 24 * 3_600_000,
}

/**
 * - `nobody-left`: a home has no level that serves. Only an admin may overrule it.
 * - `levels-left`: it has fewer levels than it should.
 * - `sheds`: requests are turned away.
 * - `room-left`: of all capacity too little stays free.
 * - `donor-full`: a donor is near what it may lend or can take.
 * - `emergency`: the federation is in emergency mode.
 * - `expiring`: a donor's enrolment is about to end.
 * - `unknown-capacity`: the forecast rests on nodes of which nobody knows how much they can take.
 */
export const guardNames = [
  'nobody-left',
  'levels-left',
  'sheds',
  'room-left',
  'donor-full',
  'emergency',
  'expiring',
  'unknown-capacity',
] as const
export type GuardName = (typeof guardNames)[number]

export interface Guarded {
  readonly guard: GuardName
  /** `object`: not to be done without somebody's word that it shall be; `warn`: to be known. */
  readonly severity: 'object' | 'warn'
  /** An objection that only an admin may overrule. */
  readonly isHard: boolean
  readonly home: RegionId | null
  readonly region: RegionId | null
  readonly nodes: readonly NodeId[]
  /** What it found, and what would be right; requests a second, shares from 0 to 1, levels, milliseconds. */
  readonly found: number
  readonly bound: number
}

/** An active enrolment's end. */
export interface Expiry {
  readonly donor: RegionId
  /** Milliseconds from now. */
  readonly inMs: number
}

/** What isn't in a forecast. */
export interface Circumstances {
  readonly mode: Mode
  readonly expiries: readonly Expiry[]
}

/** Below this many requests a second a difference is noise. */
const noise = 1e-6

/**
 * Objects to what the change makes worse than its bounds; what is beyond them already, and not made worse, is a warning.
 *
 * @param before The forecast without the change.
 * @param after The forecast with it.
 */
export function guards(
  before: Forecast,
  after: Forecast,
  { mode, expiries }: Circumstances,
  settings: GuardSettings = guardDefaults,
): Guarded[] {
  return [
    ...levels(before, after, settings),
    ...sheds(before, after),
    ...room(before, after, settings),
    ...donors(after, settings),
    ...(mode === 'emergency' ? [guarded('emergency', 'warn', { found: 1, bound: 0 })] : []),
    ...expiries
      .filter(({ inMs }) => inMs < settings.expiryNoticeMs)
      .map(({ donor, inMs }) =>
        guarded('expiring', 'warn', { region: donor, found: inMs, bound: settings.expiryNoticeMs }),
      ),
    ...unknown(after),
  ]
}

function* levels(before: Forecast, after: Forecast, { minLevels }: GuardSettings): Generator<Guarded> {
  const had = byHome(before)
  for (const { home, levelsLeft, levels, rps } of after.homes) {
    const earlier = had.get(home)
    const fewer = levelsLeft < (earlier?.levelsLeft ?? Infinity)
    // Nobody may come just now, at night or after a restart, and still need somebody in the morning.
    if (rps === 0 && !(fewer && levelsLeft === 0)) continue
    const wanted = Math.min(minLevels, Math.max(levels, earlier?.levels ?? 0))
    const severity = fewer ? 'object' : 'warn'
    if (levelsLeft === 0) {
      yield { ...guarded('nobody-left', severity, { home, found: 0, bound: wanted }), isHard: fewer }
    } else if (levelsLeft < wanted) {
      yield guarded('levels-left', severity, { home, found: levelsLeft, bound: wanted })
    }
  }
}

function* sheds(before: Forecast, after: Forecast): Generator<Guarded> {
  const had = byHome(before)
  for (const { home, shedRps } of after.homes) {
    if (shedRps <= noise) continue
    const more = shedRps > (had.get(home)?.shedRps ?? 0) + noise
    yield guarded('sheds', more ? 'object' : 'warn', { home, found: shedRps, bound: 0 })
  }
}

function* room(before: Forecast, after: Forecast, { minRoomShare }: GuardSettings): Generator<Guarded> {
  const left = roomShare(after)
  if (left === null || left >= minRoomShare) return
  const worse = left < (roomShare(before) ?? 1) - noise
  yield guarded('room-left', worse ? 'object' : 'warn', { found: left, bound: minRoomShare })
}

/** Share of all capacity that is free; `null`: unknown. */
const roomShare = ({ totals }: Forecast): number | null => {
  if (totals.capacityRps === null) return null
  return totals.capacityRps === 0 ? 0 : 1 - totals.servedRps / totals.capacityRps
}

function* donors({ regions }: Forecast, { donorUseAtMost }: GuardSettings): Generator<Guarded> {
  for (const { region, borrowedRps, lendingUse, utilisation } of regions) {
    if (borrowedRps <= noise) continue
    const use = Math.max(lendingUse ?? 0, utilisation ?? 0)
    if (use > donorUseAtMost)
      yield guarded('donor-full', 'warn', { region, found: use, bound: donorUseAtMost })
  }
}

function* unknown({ unknownCapacity, nodes }: Forecast): Generator<Guarded> {
  if (unknownCapacity.length === 0) return
  const names = new Set(unknownCapacity)
  const found = nodes.reduce((sum, { node, rps }) => sum + (names.has(node) ? rps : 0), 0)
  yield { ...guarded('unknown-capacity', 'warn', { found, bound: 0 }), nodes: unknownCapacity }
}

const byHome = ({ homes }: Forecast): ReadonlyMap<RegionId, HomeForecast> =>
  new Map(homes.map((home) => [home.home, home]))

function guarded(
  guard: GuardName,
  severity: Guarded['severity'],
  { home = null, region = null, found, bound }: Partial<Guarded> & Pick<Guarded, 'found' | 'bound'>,
): Guarded {
  return { guard, severity, isHard: false, home, region, nodes: [], found, bound }
}
