// How a forecast takes drills into account: nodes that are slower, or only there for some, and homes in two parts.
import type { RegionId } from '../model/ids.ts'
import type { NodeReadings } from '../model/readings.ts'
import type { Lending } from '../model/region.ts'
import type { NodeCapacity } from './capacity.ts'
import type { DrillEffect } from './drill-effect.ts'
import type { HomeForecast } from './forecast.ts'

export const slowed = (readings: NodeReadings | undefined, byMs: number): NodeReadings | undefined => {
  if (readings === undefined || byMs === 0) return readings
  const { meanMs, easeMs } = readings
  return {
    ...readings,
    meanMs: meanMs === null ? null : meanMs + byMs,
    easeMs: easeMs === null ? null : easeMs + byMs,
  }
}

/** A node that a cohort goes without takes, of its own region's requests, only the others'. */
export function leftOf(capacity: NodeCapacity, { cohorts }: DrillEffect): NodeCapacity {
  const { node, rps } = capacity
  const cohort = cohorts.get(node.region)
  if (cohort?.without.has(node.id) !== true) return capacity
  const left = Math.max(1 - cohort.share, Number.EPSILON)
  return {
    ...capacity,
    node: { ...node, weight: node.weight * left },
    rps: rps === null ? null : rps * left,
  }
}

export const lent = (lending: Lending | undefined, left: number): Lending | undefined =>
  lending === undefined || left === 1
    ? lending
    : {
        ...lending,
        limitRps: left === 0 ? 0 : lending.limitRps * left,
        limitConcurrent: left === 0 ? 0 : Math.ceil(lending.limitConcurrent * left),
      }

/** Cohort and control of one home together. */
export function wholeHomes(parts: readonly HomeForecast[]): HomeForecast[] {
  const whole = new Map<RegionId, HomeForecast>()
  for (const part of parts) {
    const before = whole.get(part.home)
    whole.set(part.home, before === undefined ? part : together(before, part))
  }
  return [...whole.values()]
}

function together(a: HomeForecast, b: HomeForecast): HomeForecast {
  const byLevel = Map.groupBy([...a.byLevel, ...b.byLevel], ({ level, region }) => `${level} ${region}`)
  const [x, y] = [a.shedByClass, b.shedByClass]
  return {
    ...a,
    rps: a.rps + b.rps,
    byLevel: [...byLevel.values()].flatMap(([first, ...others]) =>
      first === undefined ? [] : [{ ...first, rps: others.reduce((sum, { rps }) => sum + rps, first.rps) }],
    ),
    shedRps: a.shedRps + b.shedRps,
    shedByClass:
      x === null || y === null
        ? null
        : {
            critical: x.critical + y.critical,
            important: x.important + y.important,
            deferrable: x.deferrable + y.deferrable,
          },
    levelsLeft: Math.min(a.levelsLeft, b.levelsLeft),
  }
}
