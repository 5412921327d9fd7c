// /drill-lever: ends all drills at once and bars new ones until somebody releases it.
import { z } from 'zod'
import { drillLeverKey, drillLeverSchema } from '../../control/intent/drills.ts'
import { readTyped } from '../../control/registry/typed.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import { mustMatch, type Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { leverAnswer, stepAsked, toLeverAnswer } from '../schemas/drills.ts'
import { reasonField } from '../schemas/holds.ts'

export const drillLeverRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/drill-lever', methods: { get: show(plane), post: pull(plane), delete: release(plane) } },
]

const leverOf = (plane: Plane) => readTyped(plane.registry, drillLeverKey, drillLeverSchema)

const show = (plane: Plane) =>
  operation({
    summary: 'Whether drills are stopped',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: leverAnswer },
    handle: async () => {
      const lever = await leverOf(plane)
      const version = lever?.version ?? 0
      return { body: toLeverAnswer(lever?.value ?? null, version), version }
    },
  })

const pull = (plane: Plane) =>
  operation({
    summary: 'Stop all drills',
    description:
      'Whoever may run a drill may stop them all, also those of other regions: faults are off within 100 ms.',
    permission: 'drill',
    action: 'drill-lever.pull',
    params: none,
    query: none,
    body: stepAsked,
    answer: { status: 200, schema: leverAnswer },
    handle: async (asked) => {
      const before = await leverOf(plane)
      // Pulled already: what was asked for is so.
      if (before !== null) {
        return { body: toLeverAnswer(before.value, before.version), version: before.version }
      }
      const lever = { owner: asked.operator.name, reason: asked.body.reason, setAt: plane.wallNow() }
      const after = toLeverAnswer(lever, 1)
      return plane.desk.make(asked, {
        action: 'drill-lever.pull',
        target: 'drill-lever',
        reason: lever.reason,
        before: toLeverAnswer(null, 0),
        after,
        writes: [{ key: drillLeverKey, value: lever, expectedVersion: 0 }],
        answer: { body: after, version: 1 },
      })
    },
  })

const release = (plane: Plane) =>
  operation({
    summary: 'Allow drills again',
    description: 'None that was stopped goes on. Takes a scope of `*`.',
    permission: 'drill',
    action: 'drill-lever.release',
    params: none,
    query: z.strictObject({ reason: reasonField }),
    body: noBody,
    answer: { status: 204 },
    problems: ['not-found'],
    needsMatch: true,
    handle: async (asked) => {
      if (asked.operator.scope !== '*') {
        throw new Problem('forbidden', 'the lever concerns every region; it takes a scope of *')
      }
      const before = await leverOf(plane)
      if (before === null) throw new Problem('not-found', 'the lever is not pulled')
      mustMatch(before.version, asked.ifMatch, 'drill-lever')
      return plane.desk.make(asked, {
        action: 'drill-lever.release',
        target: 'drill-lever',
        reason: asked.query.reason,
        before: toLeverAnswer(before.value, before.version),
        after: toLeverAnswer(null, 0),
        writes: [{ key: drillLeverKey, value: null, expectedVersion: before.version }],
        answer: { status: 204 },
      })
    },
  })
