// `chiyuan regions` and `chiyuan nodes`: who is there, and whether each serves.
import type { Command } from 'commander'
import { z } from 'zod'
import { fields, table } from '../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { percent, rate } from './foresight.ts'
import { inLanguage } from './language.ts'
import { show } from './output.ts'
import { allPages, withQuery } from './pages.ts'

const words = z.object({ zh: z.string(), en: z.string() })
const regionAnswer = z.object({
  code: z.string(),
  name: words,
  tier: z.string(),
  neighbours: z.array(z.string()),
  province: z.string().nullable(),
  nation: z.string().nullable(),
  lends: z.object({
    limitRps: z.number().nullable(),
    limitConcurrent: z.number().nullable(),
    homeReserve: z.number(),
  }),
  nodes: z.array(z.string()),
})
type Region = z.output<typeof regionAnswer>

const nodeAnswer = z.object({
  id: z.string(),
  region: z.string(),
  url: z.string(),
  serving: z.object({ verdict: z.string(), words }),
  hold: z.object({ kind: z.string(), ids: z.array(z.string()) }).nullable(),
  measured: z
    .object({
      health: z.string(),
      healthDetail: z.string(),
      breaker: z.string(),
      inFlight: z.number(),
      limit: z.number().nullable(),
      rps: z.number(),
      p99Ms: z.number().nullable(),
    })
    .nullable(),
})
type Node = z.output<typeof nodeAnswer>

export function regionsCommand(): Command {
  const examples = `  chiyuan regions
  chiyuan regions 610100
  chiyuan regions --json | jq -r '.items[].code'`
  const command = operatorsCommand('regions', 'all regions, or one 地区列表', examples).argument('[code]')
  return withCommonOptions(command).action((code: string | undefined, flags: CommonFlags) =>
    withGateway(flags, async (desk) => {
      if (code === undefined) {
        const answer = await allPages(desk.client, '/regions', regionAnswer)
        return show(desk, answer, () => regionsTable(desk, answer.value))
      }
      const answer = await desk.client.get(`/regions/${encodeURIComponent(code)}`, regionAnswer)
      show(desk, answer, () => regionInFull(desk, answer.value))
    }),
  )
}

export function nodesCommand(): Command {
  const examples = `  chiyuan nodes
  chiyuan nodes --region 610100
  chiyuan nodes xian-1 --lang zh-CN`
  const command = operatorsCommand(
    'nodes',
    'all nodes, or one, with what is measured and why each serves or not 节点列表',
    examples,
  )
    .argument('[id]')
    .option('--region <code>', 'only nodes of this region 仅此地区')
  return withCommonOptions(command).action(
    (id: string | undefined, flags: CommonFlags & { region?: string }) =>
      withGateway(flags, async (desk) => {
        if (id === undefined) {
          const answer = await allPages(
            desk.client,
            withQuery('/nodes', { region: flags.region }),
            nodeAnswer,
          )
          return show(desk, answer, () => nodesTable(desk, answer.value))
        }
        const answer = await desk.client.get(`/nodes/${encodeURIComponent(id)}`, nodeAnswer)
        show(desk, answer, () => nodeInFull(desk, answer.value))
      }),
  )
}

function lendsText(desk: Desk, { limitRps, limitConcurrent, homeReserve }: Region['lends']): string {
  const parts = [
    ...(limitRps === null ? [] : [desk.say({ en: `${limitRps} rps`, zh: `每秒 ${limitRps}` })]),
    ...(limitConcurrent === null
      ? []
      : [desk.say({ en: `${limitConcurrent} at once`, zh: `同时 ${limitConcurrent}` })]),
    ...(homeReserve === 0
      ? []
      : [desk.say({ en: `keeps ${percent(homeReserve)}`, zh: `自留 ${percent(homeReserve)}` })]),
  ]
  return parts.length === 0 ? desk.say({ en: 'what it can', zh: '尽其所能' }) : parts.join(', ')
}

const regionsTable = (desk: Desk, regions: readonly Region[]): string =>
  table(
    desk
      .say({ en: 'Code|Name|Tier|Helped by|Lends|Nodes', zh: '代码|名称|级别|支援方|可出借|节点' })
      .split('|'),
    regions.map((region) => [
      region.code,
      inLanguage(desk.language, region.name),
      region.tier,
      [...region.neighbours, region.province, region.nation].filter((code) => code !== null).join(' '),
      lendsText(desk, region.lends),
      region.nodes.join(' '),
    ]),
  )

const regionInFull = (desk: Desk, region: Region): string =>
  fields([
    [desk.say({ en: 'code', zh: '代码' }), region.code],
    [desk.say({ en: 'name', zh: '名称' }), `${region.name.zh} ${region.name.en}`],
    [desk.say({ en: 'tier', zh: '级别' }), region.tier],
    [desk.say({ en: 'neighbours', zh: '邻近支援' }), region.neighbours.join(' ')],
    [desk.say({ en: 'province', zh: '省级' }), region.province ?? '-'],
    [desk.say({ en: 'nation', zh: '国家级' }), region.nation ?? '-'],
    [desk.say({ en: 'lends', zh: '可出借' }), lendsText(desk, region.lends)],
    [desk.say({ en: 'nodes', zh: '节点' }), region.nodes.join(' ')],
  ])

const openText = (measured: Node['measured']): string =>
  measured === null
    ? '?'
    : `${measured.inFlight}/${measured.limit === null ? '?' : Math.floor(measured.limit)}`

const servingText = (desk: Desk, { serving }: Node): string =>
  serving.verdict === 'ok' ? desk.say(serving.words) : `${serving.verdict}: ${desk.say(serving.words)}`

const p99Text = (measured: Node['measured']): string =>
  measured === null || measured.p99Ms === null ? '?' : `${Math.round(measured.p99Ms)} ms`

const nodesTable = (desk: Desk, nodes: readonly Node[]): string =>
  table(
    desk
      .say({
        en: 'Node|Region|Health|Hold|Open|rps|p99|May it be tried',
        zh: '节点|地区|健康|处置|在途|rps|p99|可否尝试',
      })
      .split('|'),
    nodes.map((node) => [
      node.id,
      node.region,
      node.measured?.health ?? '?',
      node.hold?.kind ?? '-',
      openText(node.measured),
      node.measured === null ? '?' : rate(node.measured.rps),
      p99Text(node.measured),
      servingText(desk, node),
    ]),
  )

const nodeInFull = (desk: Desk, node: Node): string =>
  fields([
    [desk.say({ en: 'node', zh: '节点' }), node.id],
    [desk.say({ en: 'region', zh: '地区' }), node.region],
    [desk.say({ en: 'address', zh: '地址' }), node.url],
    [desk.say({ en: 'may be tried', zh: '可否尝试' }), servingText(desk, node)],
    [
      desk.say({ en: 'hold', zh: '处置' }),
      node.hold === null ? '-' : `${node.hold.kind}: ${node.hold.ids.join(' ')}`,
    ],
    [
      desk.say({ en: 'health', zh: '健康' }),
      `${node.measured?.health ?? '?'} ${node.measured?.healthDetail ?? ''}`.trim(),
    ],
    [desk.say({ en: 'breaker', zh: '熔断器' }), node.measured?.breaker ?? '?'],
    [desk.say({ en: 'open', zh: '在途' }), openText(node.measured)],
    ['rps', node.measured === null ? '?' : rate(node.measured.rps)],
    ['p99', p99Text(node.measured)],
  ])
