// /holds: operators' decisions on regions and nodes, each a lease with an owner and a reason.
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { holdPrefix, holdSchema } from '../../control/intent/holds.ts'
import type { RegistryChange } from '../../control/registry/port.ts'
import { listTyped, readTyped, type Versioned } from '../../control/registry/typed.ts'
import type { Hold, HoldScope } from '../../model/hold.ts'
import type { RegionId } from '../../model/ids.ts'
import type { Operator } from '../../model/operator.ts'
import { guardedWrite } from '../guarded.ts'
import { type AdminRoute, must, noBody, none, operation } from '../operation.ts'
import { page, pageOf } from '../paging.ts'
import { mustMatch, type Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { changedHold, holdAnswer, holdsQuery, newHold, reasonField, toHoldAnswer } from '../schemas/holds.ts'

/** Holds in force on one node itself, or on one region itself. */
const ofOneScopeAtMost = 20

const oneHold = z.strictObject({ id: z.string().min(1).max(64) })

export const holdRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/holds', methods: { get: list(plane), post: create(plane) } },
  { path: '/holds/:id', methods: { get: show(plane), patch: change(plane), delete: end(plane) } },
]

const list = (plane: Plane) =>
  operation({
    summary: 'All holds that have not ended',
    permission: 'read',
    params: none,
    query: holdsQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(holdAnswer) },
    handle: async ({ query }) => {
      const holds = (await listTyped(plane.registry, holdPrefix, holdSchema))
        .filter(({ value }) => value.expiresAt > plane.wallNow())
        .filter(({ value }) => isOn(value.scope, query))
        .map(({ value, version }) => toHoldAnswer(value, version))
      return { body: page(holds, query, ({ id }) => id) }
    },
  })

const isOn = (
  scope: HoldScope,
  { node, region }: { node?: string | undefined; region?: string | undefined },
): boolean =>
  (node === undefined || ('node' in scope && scope.node === node)) &&
  (region === undefined || ('region' in scope && scope.region === region))

const create = (plane: Plane) =>
  operation({
    summary: 'Put a hold on a node or a region',
    description: 'Takes effect on residents’ traffic within 100 ms and ends by itself.',
    work: 2,
    permission: 'hold',
    action: 'hold.create',
    params: none,
    query: none,
    body: newHold,
    answer: { status: 201, schema: holdAnswer },
    problems: ['conflict', 'guarded'],
    idempotent: true,
    handle: async (asked) => {
      const { kind, reason, seconds, node, region } = asked.body
      const { scope, of } = scopeIn(plane, node, region)
      must(asked.operator, 'hold', [of])
      const now = plane.wallNow()
      const id = randomUUID()
      const hold: Hold = {
        id,
        kind,
        scope,
        owner: asked.operator.name,
        reason,
        createdAt: now,
        expiresAt: now + seconds * 1000,
      }
      const after = toHoldAnswer(hold, 1)
      const write = (...turn: RegistryChange[]) => {
        mustHaveRoom(plane.intent().holds, scope)
        return plane.desk.make(asked, {
          action: 'hold.create',
          target: `holds/${id}`,
          reason,
          before: null,
          after,
          writes: [...turn, { key: holdPrefix + id, value: hold, expectedVersion: 0 }],
          answer: { status: 201, body: after, version: 1, headers: { Location: `/api/v1/holds/${id}` } },
        })
      }
      // A bypass takes nobody out.
      if (kind === 'bypass') return write()
      return guardedWrite(plane, asked.operator, asked.body.override, async () => [{ hold }], write)
    },
  })

const show = (plane: Plane) =>
  operation({
    summary: 'One hold',
    permission: 'read',
    params: oneHold,
    query: none,
    body: noBody,
    answer: { status: 200, schema: holdAnswer },
    handle: async ({ params }) => {
      const { value, version } = await holdOf(plane, params.id)
      return { body: toHoldAnswer(value, version), version }
    },
  })

const change = (plane: Plane) =>
  operation({
    summary: 'Give a hold another end',
    permission: 'hold',
    action: 'hold.extend',
    params: oneHold,
    query: none,
    body: changedHold,
    answer: { status: 200, schema: holdAnswer },
    needsMatch: true,
    handle: async (asked) => {
      const { id } = asked.params
      const held = await holdOf(plane, id)
      mustMayTouch(plane, asked.operator, held.value.scope)
      mustMatch(held.version, asked.ifMatch, `holds/${id}`)
      const { reason, seconds } = asked.body
      const changed = { ...held.value, reason, expiresAt: plane.wallNow() + seconds * 1000 }
      const version = held.version + 1
      const after = toHoldAnswer(changed, version)
      return plane.desk.make(asked, {
        action: 'hold.extend',
        target: `holds/${id}`,
        reason,
        before: toHoldAnswer(held.value, held.version),
        after,
        writes: [{ key: holdPrefix + id, value: changed, expectedVersion: held.version }],
        answer: { body: after, version },
      })
    },
  })

const end = (plane: Plane) =>
  operation({
    summary: 'End a hold',
    description: 'What is measured counts again. Other holds on the same node stay in force.',
    permission: 'hold',
    action: 'hold.end',
    params: oneHold,
    query: z.strictObject({ reason: reasonField }),
    body: noBody,
    answer: { status: 204 },
    needsMatch: true,
    handle: async (asked) => {
      const { id } = asked.params
      const held = await holdOf(plane, id)
      mustMayTouch(plane, asked.operator, held.value.scope)
      mustMatch(held.version, asked.ifMatch, `holds/${id}`)
      return plane.desk.make(asked, {
        action: 'hold.end',
        target: `holds/${id}`,
        reason: asked.query.reason,
        before: toHoldAnswer(held.value, held.version),
        after: null,
        writes: [{ key: holdPrefix + id, value: null, expectedVersion: held.version }],
        answer: { status: 204 },
      })
    },
  })

/**
 * Each is read with every decision of anybody, in every process.
 * @throws {Problem} `conflict`
 */
function mustHaveRoom(holds: readonly Hold[], scope: HoldScope): void {
  if (holds.filter((hold) => isDeepStrictEqual(hold.scope, scope)).length < ofOneScopeAtMost) return
  throw new Problem(
    'conflict',
    `${ofOneScopeAtMost} holds are on it already; end one of them, or give one another end`,
  )
}

/** @throws {Problem} `not-found`, also for one whose lease has ended. */
async function holdOf(plane: Plane, id: string): Promise<Versioned<Hold>> {
  const held = await readTyped(plane.registry, holdPrefix + id, holdSchema)
  if (held !== null && held.value.expiresAt > plane.wallNow()) return held
  throw new Problem('not-found', 'there is no such hold, or it has ended; list /holds')
}

/** @throws {Problem} `invalid` */
function scopeIn(
  plane: Plane,
  node: string | undefined,
  region: RegionId | undefined,
): { scope: HoldScope; of: RegionId } {
  if (region !== undefined) {
    if (plane.regions().some(({ code }) => code === region)) return { scope: { region }, of: region }
    throw unknown('region', `there is no region ${region}; list /regions`)
  }
  const known = [...plane.snapshot().nodes.values()].find(({ id }) => id === node)
  if (known === undefined) throw unknown('node', `there is no node ${node ?? ''}; list /nodes`)
  return { scope: { node: known.id }, of: known.region }
}

const unknown = (field: string, detail: string): Problem =>
  new Problem('invalid', detail, { errors: [{ in: 'body', field, detail }] })

/**
 * A hold on a node that is gone may be touched by whoever answers for all regions.
 * @throws {Problem} `forbidden`
 */
function mustMayTouch(plane: Plane, operator: Operator, scope: HoldScope): void {
  const region = 'region' in scope ? scope.region : plane.snapshot().nodes.get(scope.node)?.region
  if (region !== undefined) must(operator, 'hold', [region])
  else if (operator.scope !== '*') {
    throw new Problem('forbidden', 'the node of this hold is gone; who answers for all regions may end it')
  }
}
