// What a drill’s plan names must be there, and its time must be to come.
import type { DrillPlan } from '../../model/drill.ts'
import type { Plane } from '../plane.ts'
import { timeText } from '../plane.ts'
import { type FieldFault, Problem } from '../problem.ts'

/** @throws {Problem} `invalid` */
export function mustBePossible(plane: Plane, { scope, schedule }: DrillPlan): void {
  const { homes, nodes } = plane.snapshot()
  const regions = new Set(plane.regions().map(({ code }) => code))
  const faults = [
    ...unknown('scope.homes', 'region', 'list /regions', scope.homes, homes),
    ...unknown('scope.regions', 'region', 'list /regions', scope.regions, regions),
    ...unknown('scope.nodes', 'node', 'list /nodes', scope.nodes, nodes),
    ...past(schedule, plane.wallNow()),
  ]
  if (faults.length === 0) return
  throw new Problem('invalid', faults.map(({ field, detail }) => `${field}: ${detail}`).join('; '), {
    errors: faults,
  })
}

function unknown<Id>(
  field: string,
  what: string,
  next: string,
  named: readonly Id[],
  known: { has(id: Id): boolean },
): FieldFault[] {
  const missing = named.filter((id) => !known.has(id))
  if (missing.length === 0) return []
  return [{ in: 'body', field, detail: `there is no ${what} ${missing.join(', ')}; ${next}` }]
}

function past(schedule: DrillPlan['schedule'], now: number): FieldFault[] {
  if (schedule?.kind !== 'once' || schedule.at > now) return []
  const detail = `${timeText(schedule.at)} is past; it is ${timeText(now)} now, name a later time in milliseconds since 1970`
  return [{ in: 'body', field: 'schedule.at', detail }]
}
