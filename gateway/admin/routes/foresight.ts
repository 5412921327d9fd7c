// /explain and /preview: why a request would go where, and what a change would do to the traffic of this moment.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { enrolmentAfter } from '../enrolment-step.ts'
import { changeBy } from './enrolment-steps.ts'
import type { Operator } from '../../model/operator.ts'
import type { Hold } from '../../model/hold.ts'
import { isNodeId } from '../../model/ids.ts'
import type { Change } from '../../policy/change.ts'
import { classifier } from '../../policy/classify.ts'
import { explain, knownOf } from '../../policy/explanation.ts'
import { isSafe } from '../../policy/retry.ts'
import { planReasonWords, prospectWords, verdictWords } from '../../policy/words.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { previewOf } from '../preview-of.ts'
import { Problem } from '../problem.ts'
import { explanationSchema } from '../schemas/explanation.ts'
import { type ChangeAsked, previewAskedSchema, previewSchema } from '../schemas/forecast.ts'
import { routeClassSchema, wordsSchema, regionIdSchema } from '../schemas/vocabulary.ts'

const explainQuery = z.strictObject({
  home: regionIdSchema.describe('The home region of the resident.'),
  path: z
    .string()
    .startsWith('/')
    .max(2000)
    .default('/')
    .describe('Path of the request, for its route class.'),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/, 'a method in capitals, such as GET')
    .default('GET'),
})
const wordsOf = z.record(z.string(), wordsSchema)
const explainAnswer = z.object({
  routeClass: routeClassSchema,
  explanation: explanationSchema,
  words: z
    .object({ verdicts: wordsOf, reasons: wordsOf, prospects: wordsOf })
    .describe('What the codes mean.'),
})

export const foresightRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/explain', methods: { get: explaining(plane) } },
  { path: '/preview', methods: { post: previewing(plane) } },
]

const explaining = (plane: Plane) =>
  operation({
    summary: 'Why a request would go where',
    description: 'By the router’s own functions, for residents at large; nothing is sent.',
    permission: 'read',
    params: none,
    query: explainQuery,
    body: noBody,
    answer: { status: 200, schema: explainAnswer },
    handle: async ({ query }) => {
      const home = plane.snapshot().homes.get(query.home)
      if (home === undefined)
        throw unknown('query', 'home', `there is no region ${query.home}; list /regions`)
      const { selection, attempts, standby, classes, defaultClass } = plane.inMode(modeNow(plane))
      const { nodes } = await plane.measured.read()
      const request = { canRetry: isSafe(query.method), key: null }
      const explanation = explain(home, knownOf(nodes), request, { selection, attempts, standby })
      const routeClass = classifier(classes, defaultClass)(query.method, query.path).name
      const words = { verdicts: verdictWords, reasons: planReasonWords, prospects: prospectWords }
      return { body: { routeClass, explanation, words } }
    },
  })

const previewing = (plane: Plane) =>
  operation({
    summary: 'What changes would do to the traffic of this moment',
    description:
      'Who would take how many requests a second, what would be shed, and which guards object. Nothing is changed.',
    work: 10,
    permission: 'read',
    params: none,
    query: none,
    body: previewAskedSchema,
    answer: { status: 200, schema: previewSchema },
    problems: ['conflict'],
    handle: async ({ body, operator }) => {
      // Enrolments come first, as one: each gives the regions anew, so that one after another would undo it.
      const steps = body.changes.filter((asked) => 'enrolment' in asked)
      const others = body.changes.flatMap((asked) =>
        'enrolment' in asked ? [] : changeOf(plane, asked, operator),
      )
      const enrolled = steps.length === 0 ? [] : [await enrolledBy(plane, steps, operator)]
      return { body: await previewOf(plane, [...enrolled, ...others]) }
    },
  })

const modeNow = (plane: Plane) => plane.intent().mode ?? plane.fileMode()

type StepAsked = Extract<ChangeAsked, { enrolment: string }>

function changeOf(plane: Plane, asked: Exclude<ChangeAsked, StepAsked>, operator: Operator): Change {
  if ('hold' in asked) {
    const { kind, scope } = asked.hold
    mustBeThere(plane, scope)
    const hold: Hold = {
      id: `preview-${randomUUID()}`,
      kind,
      scope,
      owner: operator.name,
      reason: 'preview',
      createdAt: plane.wallNow(),
      expiresAt: plane.wallNow() + 60_000,
    }
    return { hold }
  }
  if ('endHold' in asked) {
    if (plane.intent().holds.some(({ id }) => id === asked.endHold)) return { endHold: asked.endHold }
    throw unknown('body', 'changes', 'there is no such hold; list /holds')
  }
  if ('mode' in asked) return { mode: asked.mode }
  mustBeThere(plane, { node: asked.removeNode })
  return { removeNode: asked.removeNode }
}

/** The federation after these steps, each of which sees those before. */
async function enrolledBy(plane: Plane, steps: readonly StepAsked[], operator: Operator): Promise<Change> {
  const known = new Map((await plane.enrolments()).map(({ value }) => [value.id, value]))
  const changed = new Set<string>()
  for (const { enrolment, step } of steps) {
    const value = known.get(enrolment)
    if (value === undefined) throw unknown('body', 'changes', 'there is no such enrolment; list /enrolments')
    const taken = { kind: step, reason: 'preview' } as const
    known.set(enrolment, await enrolmentAfter(plane, { operator }, value, taken, [...known.values()]))
    changed.add(enrolment)
  }
  return changeBy(
    plane,
    [...known.values()].filter(({ id }) => changed.has(id)),
  )
}

function mustBeThere(plane: Plane, scope: Hold['scope']): void {
  if ('node' in scope) {
    if (isNodeId(scope.node) && plane.snapshot().nodes.has(scope.node)) return
    throw unknown('body', 'changes', `there is no node ${scope.node}; list /nodes`)
  }
  if (plane.regions().some(({ code }) => code === scope.region)) return
  throw unknown('body', 'changes', `there is no region ${scope.region}; list /regions`)
}

const unknown = (where: 'body' | 'query', field: string, detail: string): Problem =>
  new Problem('invalid', detail, { errors: [{ in: where, field, detail }] })
