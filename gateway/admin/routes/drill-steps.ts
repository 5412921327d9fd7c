// What the steps of a drill have in common: it is read, moved on, and written with its record.
import { z } from 'zod'
import { drillPrefix, drillSchema } from '../../control/drills/records.ts'
import type { RegistryChange } from '../../control/registry/port.ts'
import { listTyped, readTyped, type Versioned } from '../../control/registry/typed.ts'
import type { Drill, DrillPlan, DrillState, Person } from '../../model/drill.ts'
import type { Happening } from '../../model/happening.ts'
import type { Operator } from '../../model/operator.ts'
import { type DrillStep, type StepProblem, takeStep } from '../../policy/drill.ts'
import { type Answer, type Asked, must } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { legalText, toDrillAnswer } from '../schemas/drills.ts'

export const oneDrill = z.strictObject({ id: z.string().min(1).max(64) })

export const personOf = ({ id, name }: Operator): Person => ({ id, name })

/** @throws {Problem} `not-found` */
export async function drillOf(plane: Plane, id: string): Promise<Versioned<Drill>> {
  const drill = await readTyped(plane.registry, drillPrefix + id, drillSchema)
  if (drill !== null) return drill
  throw new Problem('not-found', 'there is no such drill; list /drills')
}

const why: Readonly<Record<StepProblem, (drill: Drill, kind: string) => string>> = {
  state: ({ state }, kind) => `"${kind}" does not follow "${state}"`,
  approval: () => 'it is so wide that another person has to approve it first',
  own: () => 'nobody approves their own drill; ask another approver',
  schedule: () => 'it has no schedule; draft one with a schedule, or start it',
}

/** Drills that have not begun, of all operators. Each look at drills reads all of them. */
export const waitingAtMost = 500
const waiting: ReadonlySet<string> = new Set<DrillState>(['draft', 'previewed', 'approved', 'scheduled'])

/** @throws {Problem} `conflict` where so many wait that another is not drafted. */
export async function mustHaveRoom({ registry }: Pick<Plane, 'registry'>): Promise<void> {
  const drills = await listTyped(registry, drillPrefix, drillSchema)
  if (drills.filter(({ value }) => waiting.has(value.state)).length < waitingAtMost) return
  const detail = `${waitingAtMost} drills have not begun, the most that may be; give some up (POST /drills/ID/stop)`
  throw new Problem('conflict', detail)
}

/**
 * Whoever drills answers for the homes; a registry that is lost is everybody's.
 * @throws {Problem} `forbidden`
 */
export function mustReach(operator: Operator, permission: 'drill' | 'approve', plan: DrillPlan): void {
  must(operator, permission, plan.scope.homes)
  if (plan.fault.kind !== 'registry-loss' || operator.scope === '*') return
  throw new Problem('forbidden', 'a lost registry concerns every region; it takes a scope of *')
}

/** The drill after a step. @throws {Problem} `conflict`, with what may be done instead. */
export function stepped(
  plane: Pick<Plane, 'wallNow'>,
  { value: drill }: Versioned<Drill>,
  step: DrillStep,
  needsApproval: boolean,
): Drill {
  const result = takeStep(drill, step, plane.wallNow(), needsApproval)
  if (result.ok) return result.drill
  const { problem, legal } = result
  throw new Problem('conflict', `${why[problem](drill, step.kind)}; ${legalText(legal)}`, {
    extra: { legal },
  })
}

/** That it is in this state now, for whoever follows the events. */
export const toldOf = ({ id, scope, state }: Drill): Happening => ({
  kind: 'drill',
  drill: id,
  homes: scope.homes,
  step: state,
})

/** @param writes Where more than the drill itself is written. */
export async function change(
  plane: Plane,
  asked: Pick<Asked<unknown, unknown, unknown>, 'operator' | 'from' | 'idempotency'>,
  action: string,
  reason: string | null,
  before: Versioned<Drill>,
  after: Drill,
  writes: readonly RegistryChange[] = [
    { key: drillPrefix + after.id, value: after, expectedVersion: before.version },
  ],
  answer?: Answer,
): Promise<Answer> {
  const version = before.version + 1
  const body = toDrillAnswer(after, version)
  const made = await plane.desk.make(asked, {
    action,
    target: `drills/${after.id}`,
    reason,
    before: toDrillAnswer(before.value, before.version),
    after: body,
    writes,
    answer: answer ?? { body, version },
  })
  if (after.state !== before.value.state) plane.events.add(toldOf(after))
  return made
}
