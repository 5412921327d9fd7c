// /regions and /nodes: the federation as the router sees it, with the reason why each node serves or not.
import { z } from 'zod'
import type { CodeNode } from '../../model/region.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import { page, pageOf, pageQuery } from '../paging.ts'
import type { Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { nodeAnswer, regionAnswer, toNodeAnswer, toRegionAnswer } from '../schemas/federation.ts'
import { regionIdSchema } from '../schemas/vocabulary.ts'

const oneRegion = z.strictObject({ code: z.string().max(64) })
const oneNode = z.strictObject({ id: z.string().max(64) })
const nodesQuery = pageQuery.extend({
  region: regionIdSchema.optional().describe('Only nodes of this region.'),
})

export const federationRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/regions', methods: { get: regions(plane) } },
  { path: '/regions/:code', methods: { get: region(plane) } },
  { path: '/nodes', methods: { get: nodes(plane) } },
  { path: '/nodes/:id', methods: { get: node(plane) } },
]

const regions = (plane: Plane) =>
  operation({
    summary: 'All regions',
    permission: 'read',
    params: none,
    query: pageQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(regionAnswer) },
    handle: ({ query }) => {
      const all = plane.regions().toSorted((a, b) => (a.code < b.code ? -1 : 1))
      const shown = page(all, query, ({ code }) => code)
      return { body: { ...shown, items: shown.items.map(toRegionAnswer) } }
    },
  })

const region = (plane: Plane) =>
  operation({
    summary: 'One region',
    permission: 'read',
    params: oneRegion,
    query: none,
    body: noBody,
    answer: { status: 200, schema: regionAnswer },
    handle: ({ params }) => {
      const known = plane.regions().find(({ code }) => code === params.code)
      if (known === undefined) throw new Problem('not-found', 'there is no such region; list /regions')
      return { body: toRegionAnswer(known) }
    },
  })

const nodes = (plane: Plane) =>
  operation({
    summary: 'All nodes, with what is measured and why each serves or not',
    permission: 'read',
    params: none,
    query: nodesQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(nodeAnswer) },
    handle: async ({ query }) => {
      const all = [...plane.snapshot().nodes.values()]
        .filter((one) => query.region === undefined || one.region === query.region)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      const shown = page(all, query, ({ id }) => id)
      const answer = await answering(plane)
      return { body: { ...shown, items: shown.items.map(answer) } }
    },
  })

const node = (plane: Plane) =>
  operation({
    summary: 'One node',
    permission: 'read',
    params: oneNode,
    query: none,
    body: noBody,
    answer: { status: 200, schema: nodeAnswer },
    handle: async ({ params }) => {
      const known = [...plane.snapshot().nodes.values()].find(({ id }) => id === params.id)
      if (known === undefined) throw new Problem('not-found', 'there is no such node; list /nodes')
      return { body: (await answering(plane))(known) }
    },
  })

async function answering(plane: Plane): Promise<(node: CodeNode) => z.output<typeof nodeAnswer>> {
  const readings = await plane.measured.read()
  const byNode = new Map(readings.nodes.map((one) => [one.node, one]))
  const { holds } = plane.snapshot()
  return (one) => toNodeAnswer(one, holds.get(one.id), byNode.get(one.id))
}
