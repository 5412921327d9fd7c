// One step of an enrolment, from whoever asks for it to the registry.
import { stepEnrolment } from '../control/enrolment-steps.ts'
import { enrolmentPrefix, enrolmentSchema } from '../control/intent/enrolments.ts'
import type { RegistryChange } from '../control/registry/port.ts'
import type { Versioned } from '../control/registry/typed.ts'
import type { Enrolment } from '../model/enrolment.ts'
import type { Step } from '../policy/enrolment.ts'
import type { Answer, Asked } from './operation.ts'
import type { Plane } from './plane.ts'
import { Problem } from './problem.ts'
import { toEnrolmentAnswer } from './schemas/enrolments.ts'

type Who = Pick<Asked<unknown, unknown, unknown>, 'operator' | 'from' | 'idempotency'>

/**
 * The enrolment after the step.
 * @param known All enrolments, where they have been read already.
 * @throws {Problem} `conflict`, with the steps that are possible.
 */
export async function enrolmentAfter(
  plane: Plane,
  who: Pick<Who, 'operator'>,
  before: Enrolment,
  step: Step,
  known?: readonly Enrolment[],
): Promise<Enrolment> {
  const { id, name } = who.operator
  const all = known ?? (await plane.enrolments()).map(({ value }) => value)
  const enrolments = all.filter((one) => one.id !== before.id)
  const result = stepEnrolment(before, step, {
    actor: { id, name },
    now: plane.wallNow(),
    federation: { regions: plane.fileRegions(), enrolments },
    config: plane.inMode(plane.fileMode()),
  })
  if (result.ok) return result.enrolment
  const { code, message, legal } = result
  const possible = legal.length === 0 ? 'nothing' : legal.join(', ')
  throw new Problem('conflict', `${message.en}; possible now: ${possible}`, {
    extra: { code, message, legal },
  })
}

/**
 * @param writes What is written besides.
 * @throws {Problem} `conflict` or `stale`
 */
export async function stepEnrolmentIn(
  plane: Plane,
  who: Who,
  { value: before, version }: Versioned<Enrolment>,
  step: Step,
  reason: string | null,
  writes: readonly RegistryChange[] = [],
): Promise<Answer> {
  const after = await enrolmentAfter(plane, who, before, step)
  const key = enrolmentPrefix + before.id
  const shown = toEnrolmentAnswer(after, version + 1)
  const answer = await plane.desk.make(who, {
    action: `enrolment.${step.kind}`,
    target: `enrolments/${before.id}`,
    reason,
    before: toEnrolmentAnswer(before, version),
    after: shown,
    writes: [{ key, value: enrolmentSchema.parse(after), expectedVersion: version }, ...writes],
    answer: { body: shown, version: version + 1 },
  })
  const { donor } = after.terms
  plane.events.add({ kind: 'enrolment', enrolment: after.id, donor: donor.code, step: after.state })
  return answer
}
