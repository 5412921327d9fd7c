// Whoever runs drills, constructed and wired: wherever operators are served.
import type { Config } from '../../config/schema.ts'
import type { DrillPlane, Plane } from '../admin/plane.ts'
import type { Changes } from '../control/changes.ts'
import { systemClock } from '../control/clock.ts'
import { factsOf } from '../control/drills/facts.ts'
import type { Rehearsals } from '../control/drills/rehearsals.ts'
import { type DrillMeasured, DrillRunner } from '../control/drills/runner.ts'
import type { Drill, DrillPlan } from '../model/drill.ts'
import type { FaultBounds } from '../policy/drill-effect.ts'
import type { OperatorsParts } from './operators.ts'

/** What this process measures of drills by itself. */
export const drillsMeasured = (rehearsals: Rehearsals): DrillMeasured => ({
  read: (drill) => Promise.resolve(rehearsals.read(drill)),
  isInForce: (drill) => Promise.resolve(rehearsals.isInForce(drill)),
})

const unmeasured: DrillMeasured = {
  read: () => Promise.resolve(null),
  isInForce: () => Promise.resolve(false),
}

export function runDrills(
  parts: OperatorsParts,
  changes: Changes,
  turns: Pick<Plane, 'guarded' | 'hearAgain'>,
  started: AsyncDisposableStack,
): DrillPlane {
  const { fileMode, inMode, measured, registry, directory, observer, drills } = parts
  const config = (): Config => inMode(directory.decided.mode ?? fileMode())
  const bounds = (): FaultBounds => {
    const { attempts, breaker } = config()
    const { attemptTimeoutMs } = attempts
    return { attemptTimeoutMs, breakerOpensAbove: breaker.errorThresholdPercent / 100 }
  }
  const facts = {
    snapshot: () => directory.current,
    regions: () => directory.regions,
    intent: () => directory.decided,
    drains: () => directory.drains,
    bounds,
    measured,
    fileMode,
    warmShare: (mode: Parameters<typeof inMode>[0]) => inMode(mode).standby.warmShare,
    wallNow: Date.now,
    isMeasured: drills !== undefined,
    settings: () => config().drills,
  }
  const foresee = (plan: DrillPlan, others: readonly Drill[]) => factsOf(plan, others, facts)
  // A breaker remembers so long; then the cohort's knows what the real one knows.
  const aheadMs = (): number => config().breaker.windowMs
  started.use(
    new DrillRunner({
      registry,
      changes,
      clock: systemClock,
      wallNow: Date.now,
      snapshot: () => directory.current,
      mode: () => directory.decided.mode ?? fileMode(),
      measured,
      drills: drills ?? unmeasured,
      foresee,
      ...turns,
      aheadMs,
      gatewayId: config().gatewayId,
      moved: ({ id, scope, state }) =>
        parts.events.add({ kind: 'drill', drill: id, homes: scope.homes, step: state }),
      fault: (cause) => observer.internalError(cause),
    }),
  )
  const paces = () => {
    const { breaker, health } = config()
    return {
      breakerWaitMs: breaker.resetTimeoutMs,
      slowStartMs: breaker.slowStartMs,
      probesFindMs: health.intervalMs + health.fall * (health.fastIntervalMs + health.timeoutMs),
    }
  }
  return { foresee, bounds, paces, aheadMs, measures: (drill) => (drills ?? unmeasured).read(drill) }
}
