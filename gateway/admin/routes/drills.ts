// /drills: faults on purpose, from a draft that somebody previews to the report of what came of it.
import { randomUUID } from 'node:crypto'
import { drillPrefix, drillSchema } from '../../control/drills/records.ts'
import { startOf, startWrites, endWrites } from '../../control/drills/writes.ts'
import { listTyped } from '../../control/registry/typed.ts'
import type { Drill } from '../../model/drill.ts'
import { nextStart } from '../../policy/drill-schedule.ts'
import { objectionWords, warningWords } from '../../policy/drill-words.ts'
import { foreseenOf, mustPass } from '../drill-foresight.ts'
import { inTurn } from '../guarded.ts'
import { type AdminRoute, must, noBody, none, operation } from '../operation.ts'
import { page, pageOf } from '../paging.ts'
import { mustMatch, type Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import {
  drillAnswer,
  drillForeseen,
  drillsQuery,
  newDrill,
  startAsked,
  stepAsked,
  toDrillAnswer,
} from '../schemas/drills.ts'
import { mustBePossible } from './drill-plan.ts'
import {
  change,
  drillOf,
  mustHaveRoom,
  mustReach,
  oneDrill,
  personOf,
  stepped,
  toldOf,
} from './drill-steps.ts'
import { progressing } from './drill-progress.ts'
import { reporting } from './drill-report.ts'

export const drillRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/drills', methods: { get: list(plane), post: create(plane) } },
  { path: '/drills/:id', methods: { get: show(plane) } },
  { path: '/drills/:id/preview', methods: { post: previewing(plane) } },
  { path: '/drills/:id/approve', methods: { post: deciding(plane, 'approve') } },
  { path: '/drills/:id/refuse', methods: { post: deciding(plane, 'refuse') } },
  { path: '/drills/:id/schedule', methods: { post: scheduling(plane) } },
  { path: '/drills/:id/start', methods: { post: starting(plane) } },
  { path: '/drills/:id/stop', methods: { post: stopping(plane) } },
  { path: '/drills/:id/progress', methods: { get: progressing(plane) } },
  { path: '/drills/:id/report', methods: { get: reporting(plane) } },
]

const list = (plane: Plane) =>
  operation({
    summary: 'All drills, also those that are over',
    permission: 'read',
    params: none,
    query: drillsQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(drillAnswer) },
    handle: async ({ query }) => {
      const drills = (await listTyped(plane.registry, drillPrefix, drillSchema))
        .filter(({ value }) => query.state === undefined || value.state === query.state)
        .filter(({ value }) => query.home === undefined || value.scope.homes.includes(query.home))
        .map(({ value, version }) => toDrillAnswer(value, version))
      return { body: page(drills, query, ({ id }) => id) }
    },
  })

const create = (plane: Plane) =>
  operation({
    summary: 'Draft a drill',
    description: 'Nothing happens to residents before it is started. A plan is not changed; draft another.',
    permission: 'drill',
    action: 'drill.create',
    params: none,
    query: none,
    body: newDrill,
    answer: { status: 201, schema: drillAnswer },
    problems: ['conflict'],
    idempotent: true,
    handle: async (asked) => {
      mustReach(asked.operator, 'drill', asked.body)
      mustBePossible(plane, asked.body)
      await mustHaveRoom(plane)
      const now = plane.wallNow()
      const drill: Drill = {
        ...asked.body,
        id: randomUUID(),
        owner: personOf(asked.operator),
        state: 'draft',
        createdAt: now,
        approver: null,
        changedAt: now,
        nextAt: null,
        run: null,
      }
      const after = toDrillAnswer(drill, 1)
      const made = await plane.desk.make(asked, {
        action: 'drill.create',
        target: `drills/${drill.id}`,
        reason: drill.reason,
        before: null,
        after,
        writes: [{ key: drillPrefix + drill.id, value: drill, expectedVersion: 0 }],
        answer: { status: 201, body: after, version: 1, headers: { Location: `/api/v1/drills/${drill.id}` } },
      })
      plane.events.add(toldOf(drill))
      return made
    },
  })

const show = (plane: Plane) =>
  operation({
    summary: 'One drill',
    permission: 'read',
    params: oneDrill,
    query: none,
    body: noBody,
    answer: { status: 200, schema: drillAnswer },
    handle: async ({ params }) => {
      const { value, version } = await drillOf(plane, params.id)
      return { body: toDrillAnswer(value, version), version }
    },
  })

const previewing = (plane: Plane) =>
  operation({
    summary: 'What a drill would do, and what speaks against it now',
    description:
      'Traffic moves as the cohort’s share does; levels are counted as its residents would find them.',
    permission: 'drill',
    action: 'drill.preview',
    params: oneDrill,
    query: none,
    body: noBody,
    answer: { status: 200, schema: drillForeseen },
    problems: ['conflict'],
    handle: async (asked) => {
      const before = await drillOf(plane, asked.params.id)
      must(asked.operator, 'drill', before.value.scope.homes)
      const seen = await foreseenOf(plane, before.value)
      const by = personOf(asked.operator)
      const after = stepped(plane, before, { kind: 'preview', by }, seen.needsApproval)
      const version = before.version + 1
      const { homes, nodes, cohort, trafficShare } = seen.facts.radius
      const body = {
        drill: toDrillAnswer(after, version),
        needsApproval: seen.needsApproval,
        radius: { homes, nodes, cohort, trafficShare },
        objections: seen.objections,
        warnings: seen.warnings,
        words: { ...objectionWords, ...warningWords },
        preview: seen.facts.preview,
      }
      return change(plane, asked, 'drill.preview', null, before, after, undefined, { body, version })
    },
  })

const deciding = (plane: Plane, kind: 'approve' | 'refuse') =>
  operation({
    summary: kind === 'approve' ? 'Approve a drill that somebody else asks for' : 'Refuse a drill',
    permission: 'approve',
    action: `drill.${kind}`,
    params: oneDrill,
    query: none,
    body: stepAsked,
    answer: { status: 200, schema: drillAnswer },
    problems: ['conflict'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await drillOf(plane, asked.params.id)
      mustReach(asked.operator, 'approve', before.value)
      mustMatch(before.version, asked.ifMatch, `drills/${asked.params.id}`)
      const after = stepped(plane, before, { kind, by: personOf(asked.operator) }, true)
      return change(plane, asked, `drill.${kind}`, asked.body.reason, before, after)
    },
  })

const scheduling = (plane: Plane) =>
  operation({
    summary: 'Let a drill begin by its schedule',
    permission: 'drill',
    action: 'drill.schedule',
    params: oneDrill,
    query: none,
    body: stepAsked,
    answer: { status: 200, schema: drillAnswer },
    problems: ['conflict'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await drillOf(plane, asked.params.id)
      const { schedule } = before.value
      mustReach(asked.operator, 'drill', before.value)
      mustMatch(before.version, asked.ifMatch, `drills/${asked.params.id}`)
      const nextAt = schedule === null ? 0 : nextStart(schedule, plane.wallNow())
      if (nextAt === null) throw new Problem('conflict', 'all dates of its schedule are past or blocked')
      const step = { kind: 'schedule' as const, by: personOf(asked.operator), nextAt }
      const after = stepped(plane, before, step, (await foreseenOf(plane, before.value)).needsApproval)
      return change(plane, asked, 'drill.schedule', asked.body.reason, before, after)
    },
  })

const starting = (plane: Plane) =>
  operation({
    summary: 'Begin a drill now',
    description: 'Its fault comes once its cohort has been measured for a while, and ends by itself.',
    permission: 'drill',
    action: 'drill.start',
    params: oneDrill,
    query: none,
    body: startAsked,
    answer: { status: 200, schema: drillAnswer },
    problems: ['conflict', 'guarded'],
    needsMatch: true,
    handle: async (asked) => {
      const before = await drillOf(plane, asked.params.id)
      const { value: drill } = before
      mustReach(asked.operator, 'drill', drill)
      mustMatch(before.version, asked.ifMatch, `drills/${drill.id}`)
      return inTurn(plane, async (turn) => {
        const seen = await foreseenOf(plane, drill)
        const now = plane.wallNow()
        const overruled = [...new Set(seen.objections.map(({ name }) => name))]
        const run = startOf(drill, now, plane.drills.aheadMs(), overruled)
        const after = stepped(plane, before, { kind: 'start', run }, seen.needsApproval)
        mustPass(seen.objections, asked.body.override)
        const writes = await startWrites(plane.registry, before, after, now)
        if (writes === null)
          throw new Problem('conflict', 'another drill of one of its homes is on; list /drills')
        return change(plane, asked, 'drill.start', asked.body.reason, before, after, [turn, ...writes])
      })
    },
  })

const stopping = (plane: Plane) =>
  operation({
    summary: 'End a drill, or give it up',
    description: 'The fault is off within 100 ms; residents come back by what is measured, ramped.',
    permission: 'drill',
    action: 'drill.stop',
    params: oneDrill,
    query: none,
    body: stepAsked,
    answer: { status: 200, schema: drillAnswer },
    problems: ['conflict'],
    handle: async (asked) => {
      const before = await drillOf(plane, asked.params.id)
      const { value: drill } = before
      must(asked.operator, 'drill', drill.scope.homes)
      const { reason } = asked.body
      if (drill.run !== null && drill.state !== 'running') {
        throw new Problem(
          'conflict',
          `it has ended already and is "${drill.state}"; see its report once it is over`,
        )
      }
      if (drill.state !== 'running') {
        const after = stepped(plane, before, { kind: 'abandon', by: personOf(asked.operator) }, false)
        return change(plane, asked, 'drill.stop', reason, before, after)
      }
      const detail = asked.operator.name.slice(0, 200)
      const after = stepped(plane, before, { kind: 'end', ending: 'owner', detail }, false)
      const writes = await endWrites(plane.registry, before, after, plane.wallNow())
      return change(plane, asked, 'drill.stop', reason, before, after, writes)
    },
  })
