// Whoever runs drills, constructed and wired: wherever operators are served.
import type { Config } from '../../config/schema.ts'
import type { DrillPlane, Plane } from '../admin/plane.ts'
import { Changes } from '../control/changes.ts'
import { systemClock } from '../control/clock.ts'
import { factsOf } from '../control/drills/facts.ts'
import type { Rehearsals } from '../control/drills/rehearsals.ts'
import { ownName } from '../control/drills/own-name.ts'
import { type DrillMeasured, DrillParts } from '../control/drills/parts.ts'
import { DrillRunner } from '../control/drills/runner.ts'
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

export async function runDrills(
  parts: OperatorsParts,
  turns: Pick<Plane, 'guarded' | 'hearAgain'>,
  started: AsyncDisposableStack,
): Promise<{ readonly drills: DrillPlane; readonly warnings: () => string[] }> {
  const { fileMode, inMode, measured, registry, directory, observer, drills } = parts
  const config = (): Config => inMode(directory.decided.mode ?? fileMode())
  const bounds = (): FaultBounds => boundsOf(config())
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
  const fault = (cause: unknown): void => observer.internalError(cause)
  const { dataDir, gatewayId } = config()
  const { name: gateway, trouble } = await ownName(dataDir, gatewayId)
  const measuredByAll = started.use(partsOf(parts, gateway, fault))
  // One gateway of all runs them.
  const lock = started.use(registry.lock('drills', gateway))
  started.use(
    new DrillRunner({
      lock,
      changes: new Changes(lock.registry, Date.now),
      clock: systemClock,
      wallNow: Date.now,
      snapshot: () => directory.current,
      mode: () => directory.decided.mode ?? fileMode(),
      measured,
      drills: measuredByAll,
      foresee,
      ...turns,
      aheadMs,
      gatewayId: gateway,
      moved: ({ id, scope, state }) =>
        parts.events.add({ kind: 'drill', drill: id, homes: scope.homes, step: state }),
      fault,
    }),
  )
  const warnings = (): string[] => {
    // That the registry is lost is said by whoever follows it.
    const notRun = directory.lost === null ? lock.trouble : null
    return [
      ...(trouble === null ? [] : [trouble]),
      ...(notRun === null ? [] : [`drills are not run here: ${notRun}`]),
    ]
  }
  const measures = async (id: string) => (await measuredByAll.read(id)).measures
  return { drills: { foresee, bounds, paces: () => pacesOf(config()), aheadMs, measures }, warnings }
}

/** What all gateways measure, this one's part among it. */
const partsOf = (
  { registry, directory, drills }: OperatorsParts,
  gateway: string,
  fault: (cause: unknown) => void,
): DrillParts =>
  new DrillParts({
    registry,
    drills: drills ?? unmeasured,
    clock: systemClock,
    wallNow: Date.now,
    gateway,
    known: () => [...new Set(directory.current.drills.map(({ drill }) => drill))],
    fault,
  })

const boundsOf = ({ attempts, breaker }: Config): FaultBounds => ({
  attemptTimeoutMs: attempts.attemptTimeoutMs,
  breakerOpensAbove: breaker.errorThresholdPercent / 100,
})

const pacesOf = ({ breaker, health }: Config): ReturnType<DrillPlane['paces']> => ({
  breakerWaitMs: breaker.resetTimeoutMs,
  slowStartMs: breaker.slowStartMs,
  probesFindMs: health.intervalMs + health.fall * (health.fastIntervalMs + health.timeoutMs),
})
