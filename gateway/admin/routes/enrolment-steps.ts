// /enrolments/{id}/…: each step of an enrolment by whoever may take it, and the verification between two of them.
import { z } from 'zod'
import { VerifierBusy } from '../../control/verification/verifier.ts'
import { recordOf } from '../../control/verification/verify.ts'
import type { RegistryChange } from '../../control/registry/port.ts'
import { withEnrolments } from '../../policy/enrolment-effect.ts'
import type { Enrolment, StepKind } from '../../model/enrolment.ts'
import type { RegionId } from '../../model/ids.ts'
import type { Permission } from '../../model/operator.ts'
import type { Change } from '../../policy/change.ts'
import { enrolmentAfter, stepEnrolmentIn } from '../enrolment-step.ts'
import { guardedWrite } from '../guarded.ts'
import { type AdminRoute, must, noBody, none, operation } from '../operation.ts'
import { mustMatch, type Plane, timeText } from '../plane.ts'
import { Problem } from '../problem.ts'
import { enrolmentAnswer, verificationAnswer } from '../schemas/enrolments.ts'
import { reasonField } from '../schemas/holds.ts'
import { reportPrefix, type Verifications } from '../verifications.ts'
import { enrolmentOf, oneEnrolment } from './enrolments.ts'

type PlainStep = Exclude<StepKind, 'edit' | 'verify'>

interface StepRoute {
  readonly step: PlainStep
  readonly permission: Permission
  readonly summary: string
  /** In whose regions it must be allowed. */
  readonly regions: (enrolment: Enrolment) => readonly RegionId[]
}

const donor = ({ terms }: Enrolment): readonly RegionId[] => [terms.donor.code]
const homes = ({ terms }: Enrolment): readonly RegionId[] => terms.homes

const steps: readonly StepRoute[] = [
  { step: 'submit', permission: 'enrol', summary: 'Submit a draft', regions: donor },
  { step: 'return', permission: 'enrol', summary: 'Give it back to its author as a draft', regions: donor },
  {
    step: 'approve',
    permission: 'approve',
    summary: 'Approve what was verified, for the homes; the submitter can’t',
    regions: homes,
  },
  {
    step: 'activate',
    permission: 'enrol',
    summary: 'Let it serve: from 1 % of its pledge upwards',
    regions: donor,
  },
  { step: 'suspend', permission: 'enrol', summary: 'Drain it, to go on later', regions: donor },
  { step: 'resume', permission: 'enrol', summary: 'Let it serve again, from 1 % upwards', regions: donor },
  { step: 'withdraw', permission: 'enrol', summary: 'Drain it, for good', regions: donor },
]

const stepBody = z.strictObject({
  reason: reasonField,
  override: z
    .boolean()
    .default(false)
    .describe('Do it although a guard objects to draining it; the reason says why.'),
})

export const enrolmentStepRoutes = (plane: Plane, verifications: Verifications): AdminRoute[] => [
  ...steps.map((route) => ({
    path: `/enrolments/:id/${route.step}`,
    methods: { post: stepping(plane, verifications, route) },
  })),
  {
    path: '/enrolments/:id/verification',
    methods: {
      get: shown(plane, verifications),
      post: begin(plane, verifications),
      delete: breakOff(plane, verifications),
    },
  },
]

const stepping = (
  plane: Plane,
  verifications: Verifications,
  { step, permission, summary, regions }: StepRoute,
) =>
  operation({
    summary,
    permission,
    action: `enrolment.${step}`,
    params: oneEnrolment,
    query: none,
    body: stepBody,
    answer: { status: 200, schema: enrolmentAnswer },
    problems: ['conflict', 'guarded'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await enrolmentOf(plane, asked.params.id)
      must(asked.operator, permission, regions(before.value))
      mustMatch(before.version, asked.ifMatch, `enrolments/${asked.params.id}`)
      const { reason, override } = asked.body
      const write = async (...turn: RegistryChange[]) => {
        const answer = await stepEnrolmentIn(plane, asked, before, { kind: step, reason }, reason, turn)
        // Nobody loads a donor for a decision that has been taken.
        verifications.stop(before.value.id)
        return answer
      }
      if (step !== 'suspend' && step !== 'withdraw') return write()
      const changes = async () => [
        await changeBy(plane, [await enrolmentAfter(plane, asked, before.value, { kind: step, reason })]),
      ]
      return guardedWrite(plane, asked.operator, override, changes, write)
    },
  })

/** The regions as they would be with these enrolments, once their ramps or drains are over. */
export async function changeBy(plane: Plane, after: readonly Enrolment[]): Promise<Change> {
  const changed = new Set(after.map(({ id }) => id))
  const others = (await plane.enrolments()).map(({ value }) => value).filter(({ id }) => !changed.has(id))
  const { enrolment: settings } = plane.inMode(plane.fileMode())
  const settled = plane.wallNow() + Math.max(settings.rampMs, settings.drainMs) + 1
  const { regions } = withEnrolments(plane.fileRegions(), [...others, ...after], settled, {
    ...settings,
    share: 1,
  })
  return { regions }
}

const shown = (plane: Plane, verifications: Verifications) =>
  operation({
    summary: 'The verification under way, and the report of the last that ended',
    permission: 'read',
    params: oneEnrolment,
    query: none,
    body: noBody,
    answer: { status: 200, schema: verificationAnswer },
    handle: async ({ params: { id } }) => {
      await enrolmentOf(plane, id)
      const running = verifications.of(id)
      const report = (await plane.registry.read(reportPrefix + id))?.value ?? null
      const under =
        running === null
          ? null
          : {
              startedAt: timeText(running.startedAt),
              by: running.by,
              progress: running.progress,
            }
      return { body: verificationAnswer.parse({ running: under, report }) }
    },
  })

const begin = (plane: Plane, verifications: Verifications) =>
  operation({
    summary: 'Verify the donor’s nodes for real',
    description:
      'Reaches its nodes, holds them to their TLS identity, clock, readiness, data and codes, and sends them a bounded ramp ' +
      'up to the pledge. Watch it with GET; when it ends the enrolment is verified, or says why not.',
    permission: 'enrol',
    action: 'enrolment.verify',
    params: oneEnrolment,
    query: none,
    body: z.strictObject({ reason: reasonField }),
    answer: { status: 202 },
    problems: ['conflict'],
    handle: async (asked) => {
      const { value } = await enrolmentOf(plane, asked.params.id)
      must(asked.operator, 'enrol', [value.terms.donor.code])
      if (value.state !== 'submitted' && value.state !== 'verified') {
        throw new Problem(
          'conflict',
          `it is ${value.state}; a submitted or verified enrolment can be verified`,
        )
      }
      const { operator, from } = asked
      const { reason } = asked.body
      const target = `enrolments/${value.id}`
      const headers = { Location: `/api/v1/${target}/verification` }
      try {
        verifications.mustBeFree()
        // Somebody else's nodes are about to be loaded: who did so is kept, whatever comes of it.
        const action = 'enrolment.verify.begin'
        const answer = { status: 202, headers }
        await plane.desk.make(asked, {
          action,
          target,
          reason,
          before: null,
          after: null,
          writes: [],
          answer,
        })
        verifications.start(value, { operator, from }, async (enrolment, report, starter, kept) => {
          const verification = recordOf(report)
          if (verification === null) return
          const who = { ...starter, idempotency: null }
          await stepEnrolmentIn(plane, who, enrolment, { kind: 'verify', verification }, reason, [kept])
        })
      } catch (cause) {
        if (cause instanceof VerifierBusy) throw new Problem('conflict', cause.message)
        throw cause
      }
      return { headers }
    },
  })

const breakOff = (plane: Plane, verifications: Verifications) =>
  operation({
    summary: 'Break off the verification under way',
    permission: 'enrol',
    action: 'enrolment.verify.stop',
    params: oneEnrolment,
    query: none,
    body: noBody,
    answer: { status: 204 },
    problems: ['conflict'],
    handle: async (asked) => {
      const { value } = await enrolmentOf(plane, asked.params.id)
      must(asked.operator, 'enrol', [value.terms.donor.code])
      // At once, also where the registry can't be told.
      if (!verifications.stop(value.id)) throw new Problem('conflict', 'no verification of it is under way')
      return plane.desk.make(asked, {
        action: 'enrolment.verify.stop',
        target: `enrolments/${value.id}`,
        reason: null,
        before: null,
        after: null,
        writes: [],
        answer: { status: 204 },
      })
    },
  })
