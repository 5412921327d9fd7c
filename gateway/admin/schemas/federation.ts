// Regions and nodes as they go over the wire: what they are, what lies on them, what is measured of them.
import { z } from 'zod'
import type { CodeNode, Region } from '../../model/region.ts'
import type { NodeReadings } from '../../model/readings.ts'
import type { NodeHold } from '../../model/hold.ts'
import { verdictWords } from '../../policy/words.ts'
import { nodeReadingsSchema } from './readings.ts'
import { holdKindSchema, nodeIdSchema, regionIdSchema, verdictSchema, wordsSchema } from './vocabulary.ts'

const bound = z.number().nullable().describe('null: not bounded.')

export const regionAnswer = z
  .object({
    code: regionIdSchema,
    name: z.object({ zh: z.string(), en: z.string() }),
    tier: z.enum(['city', 'province', 'nation']),
    neighbours: z.array(regionIdSchema).describe('Who helps its residents, in the agreed order.'),
    province: regionIdSchema.nullable(),
    nation: regionIdSchema.nullable(),
    lends: z.object({ limitRps: bound, limitConcurrent: bound, homeReserve: z.number() }),
    nodes: z.array(nodeIdSchema),
  })
  .meta({ id: 'Region' })

export const nodeAnswer = z
  .object({
    id: nodeIdSchema,
    region: regionIdSchema,
    url: z.string().describe('Where the gateway reaches it.'),
    weight: z.number(),
    declaredLimit: bound,
    serving: z
      .object({ verdict: verdictSchema, words: wordsSchema })
      .describe('May it be tried now, and why not.'),
    hold: z
      .object({ kind: holdKindSchema, ids: z.array(z.string()).describe('The one that counts first.') })
      .nullable(),
    measured: nodeReadingsSchema.nullable().describe('null until it has been measured.'),
  })
  .meta({ id: 'Node' })

const orNull = (value: number): number | null => (value === Infinity ? null : value)

export const toRegionAnswer = ({
  code,
  name,
  tier,
  neighbours,
  province,
  nation,
  lends,
  nodes,
}: Region): z.output<typeof regionAnswer> => ({
  code,
  name,
  tier,
  neighbours: [...neighbours],
  province,
  nation,
  lends: {
    limitRps: orNull(lends.limitRps),
    limitConcurrent: orNull(lends.limitConcurrent),
    homeReserve: lends.homeReserve,
  },
  nodes: nodes.map(({ id }) => id),
})

export function toNodeAnswer(
  node: CodeNode,
  held: NodeHold | undefined,
  measured: NodeReadings | undefined,
): z.output<typeof nodeAnswer> {
  const verdict =
    measured?.serving ?? (held?.kind === 'trip' ? 'held' : held?.kind === 'drain' ? 'draining' : 'ok')
  return {
    id: node.id,
    region: node.region,
    url: node.origin + node.basePath,
    weight: node.weight,
    declaredLimit: orNull(node.limit),
    serving: { verdict, words: verdictWords[verdict] },
    hold: held === undefined ? null : { kind: held.kind, ids: held.holds.map(({ id }) => id) },
    measured: measured === undefined ? null : { ...measured, notReadyFor: [...measured.notReadyFor] },
  }
}
