// /enrolments: regions that offer to serve others' residents, from a draft to serving and away again.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { enrolmentPrefix, enrolmentSchema } from '../../control/intent/enrolments.ts'
import { readTyped, type Versioned } from '../../control/registry/typed.ts'
import type { Enrolment } from '../../model/enrolment.ts'
import { enrolmentStates } from '../../model/enrolment.ts'
import { legalSteps, newEnrolment } from '../../policy/enrolment.ts'
import { roomForOne } from '../enrolment-room.ts'
import { stepEnrolmentIn } from '../enrolment-step.ts'
import { type AdminRoute, must, noBody, none, operation } from '../operation.ts'
import { page, pageOf, pageQuery } from '../paging.ts'
import { mustMatch, type Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import type { Verifications } from '../verifications.ts'
import { enrolmentAnswer, termsInput, toEnrolmentAnswer } from '../schemas/enrolments.ts'
import { reasonField } from '../schemas/holds.ts'
import { regionIdSchema } from '../schemas/vocabulary.ts'

export const oneEnrolment = z.strictObject({ id: z.string().min(1).max(64) })

const enrolmentsQuery = pageQuery.extend({
  state: z.enum(enrolmentStates).optional().describe('Only those in this state.'),
  donor: regionIdSchema.optional().describe('Only those of this region.'),
})
const newInput = z.strictObject({ terms: termsInput, reason: reasonField })

export const enrolmentRoutes = (plane: Plane, verifications: Pick<Verifications, 'stop'>): AdminRoute[] => [
  { path: '/enrolments', methods: { get: list(plane), post: create(plane) } },
  { path: '/enrolments/:id', methods: { get: show(plane), put: edit(plane, verifications) } },
]

const list = (plane: Plane) =>
  operation({
    summary: 'All enrolments, the withdrawn ones too',
    permission: 'read',
    params: none,
    query: enrolmentsQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(enrolmentAnswer) },
    handle: async ({ query }) => {
      const all = (await plane.enrolments())
        .filter(({ value }) => query.state === undefined || value.state === query.state)
        .filter(({ value }) => query.donor === undefined || value.terms.donor.code === query.donor)
        .map(({ value, version }) => toEnrolmentAnswer(value, version))
      return { body: page(all, query, ({ id }) => id) }
    },
  })

const create = (plane: Plane) =>
  operation({
    summary: 'Draft an enrolment',
    permission: 'enrol',
    action: 'enrolment.create',
    params: none,
    query: none,
    body: newInput,
    answer: { status: 201, schema: enrolmentAnswer },
    problems: ['conflict'],
    idempotent: true,
    handle: async (asked) => {
      const { terms, reason } = asked.body
      must(asked.operator, 'enrol', [terms.donor.code])
      const { id: by, name } = asked.operator
      const removals = await roomForOne(plane, terms.donor.code)
      const enrolment = newEnrolment(terms, { id: by, name }, plane.wallNow(), randomUUID())
      const after = toEnrolmentAnswer(enrolment, 1)
      return plane.desk.make(asked, {
        action: 'enrolment.create',
        target: `enrolments/${enrolment.id}`,
        reason,
        before: null,
        after,
        writes: [
          {
            key: enrolmentPrefix + enrolment.id,
            value: enrolmentSchema.parse(enrolment),
            expectedVersion: 0,
          },
          ...removals,
        ],
        answer: {
          status: 201,
          body: after,
          version: 1,
          headers: { Location: `/api/v1/enrolments/${enrolment.id}` },
        },
      })
    },
  })

const show = (plane: Plane) =>
  operation({
    summary: 'One enrolment',
    permission: 'read',
    params: oneEnrolment,
    query: none,
    body: noBody,
    answer: { status: 200, schema: enrolmentAnswer },
    handle: async ({ params }) => {
      const { value, version } = await enrolmentOf(plane, params.id)
      return { body: toEnrolmentAnswer(value, version), version }
    },
  })

const edit = (plane: Plane, verifications: Pick<Verifications, 'stop'>) =>
  operation({
    summary: 'Give an enrolment other terms',
    description: `Possible before it is approved (${statesFor('edit')}); it is a draft again then, and what was verified counts no longer.`,
    permission: 'enrol',
    action: 'enrolment.edit',
    params: oneEnrolment,
    query: none,
    body: newInput,
    answer: { status: 200, schema: enrolmentAnswer },
    problems: ['conflict'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await enrolmentOf(plane, asked.params.id)
      const { terms, reason } = asked.body
      must(asked.operator, 'enrol', [before.value.terms.donor.code, terms.donor.code])
      mustMatch(before.version, asked.ifMatch, `enrolments/${asked.params.id}`)
      const answer = await stepEnrolmentIn(plane, asked, before, { kind: 'edit', terms }, reason)
      // Nobody loads a donor for terms that are no more.
      verifications.stop(before.value.id)
      return answer
    },
  })

function statesFor(step: 'edit'): string {
  return enrolmentStates.filter((state) => legalSteps(state).includes(step)).join(', ')
}

/** @throws {Problem} `not-found` */
export async function enrolmentOf(plane: Plane, id: string): Promise<Versioned<Enrolment>> {
  const found = await readTyped(plane.registry, enrolmentPrefix + id, enrolmentSchema)
  if (found === null) throw new Problem('not-found', 'there is no such enrolment; list /enrolments')
  return found
}
