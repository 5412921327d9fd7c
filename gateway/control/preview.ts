// What a set of changes would do to the traffic of this moment.
import type { RegionId } from '../model/ids.ts'
import type { Mode } from '../model/mode.ts'
import type { Readings } from '../model/readings.ts'
import type { RouteClass } from '../model/route-class.ts'
import {
  type Change,
  changed,
  type Differences,
  differences,
  type FederationInput,
} from '../policy/change.ts'
import { effectOf, type FaultBounds } from '../policy/drill-effect.ts'
import { type Forecast, forecast } from '../policy/forecast.ts'
import {
  type Circumstances,
  guardDefaults,
  type Guarded,
  guards,
  type GuardSettings,
} from '../policy/guards.ts'
import { snapshotOf } from './directory.ts'

export interface Preview {
  /** Of the same model, without the changes: what differs is due to them and to nothing else. */
  readonly before: Forecast
  readonly after: Forecast
  readonly differences: Differences
  readonly guards: readonly Guarded[]
}

export interface PreviewParts {
  readonly input: FederationInput
  readonly readings: Readings
  /** The configuration file's mode, in force where operators have set none. */
  readonly ownMode: Mode
  /** Share of requests that keep donors warm in a mode. */
  readonly warmShare: (mode: Mode) => number
  readonly expiries?: Circumstances['expiries']
  /** How requests divide into classes, where that is known. */
  readonly classShares?: Readonly<Record<RouteClass, number>>
  readonly guardSettings?: GuardSettings
  /** Drills that are on, on paper too, without the changes and with them. */
  readonly drills?: { readonly before: DrillParts; readonly after: DrillParts; readonly bounds: FaultBounds }
}

type DrillParts = Parameters<typeof effectOf>[0]

/** No change at all is a forecast of what is. */
export function preview(changes: readonly Change[], parts: PreviewParts): Preview {
  const { input, ownMode, expiries = [], guardSettings = guardDefaults } = parts
  const next = changed(input, changes)
  const before = forecastOf(input, parts, parts.drills?.before)
  const after = forecastOf(next, parts, parts.drills?.after)
  const mode = next.mode ?? ownMode
  return {
    before: withTraffic(before),
    after: withTraffic(after),
    differences: differences(before, after),
    guards: guards(before, after, { mode, expiries }, guardSettings),
  }
}

/** A thousand homes to which nobody comes tell a reader nothing; guards have looked at them. */
const withTraffic = (told: Forecast): Forecast => ({
  ...told,
  homes: told.homes.filter(({ rps }) => rps > 0),
})

function forecastOf(input: FederationInput, parts: PreviewParts, on: DrillParts = []): Forecast {
  const { readings, classShares, ownMode, warmShare, drills } = parts
  const snapshot = snapshotOf(0, input.regions, input)
  return forecast({
    snapshot,
    nodes: readings.nodes,
    traffic: trafficOf(readings),
    warmShare: warmShare(input.mode ?? ownMode),
    ...(classShares !== undefined && { classShares }),
    ...(drills !== undefined && { drills: effectOf(on, snapshot, drills.bounds) }),
  })
}

/** Requests a second by home, those that were turned away included: they would be served if there were room. */
export const trafficOf = ({ homes }: Readings): ReadonlyMap<RegionId, number> =>
  new Map(homes.map(({ home, rps }) => [home, rps]))
