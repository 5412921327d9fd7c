// Steps of enrolments as the gateway takes them: the pure decision with the hash and the bounds that it needs.
import type { Config } from '../../config/schema.ts'
import type { Actor, Enrolment } from '../model/enrolment.ts'
import { type Step, type StepResult, takeStep } from '../policy/enrolment.ts'
import type { Federation } from '../policy/enrolment-conflicts.ts'
import { hashOfTerms } from './intent/enrolments.ts'

/**
 * @param at.federation The file's regions, and all enrolments as the registry has them. Two that are submitted at one
 *   moment may both pass; activation looks again, and where both serve the older one has the node.
 */
export const stepEnrolment = (
  enrolment: Enrolment,
  step: Step,
  at: {
    readonly actor: Actor
    readonly now: number
    readonly federation: Federation
    readonly config: Pick<Config, 'enrolment'>
  },
): StepResult =>
  takeStep(enrolment, step, {
    actor: at.actor,
    now: at.now,
    federation: at.federation,
    hashOf: hashOfTerms,
    verificationMaxAgeMs: at.config.enrolment.verificationMaxAgeMs,
  })
