// `chiyuan status`: the federation at a glance, what wants attention first.
import type { Command } from 'commander'
import { z } from 'zod'
import { fields, table } from '../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { rate } from './foresight.ts'
import { inLanguage, type Words } from './language.ts'
import { show, span, type Tone, toned } from './output.ts'

const regionStatus = z.object({
  region: z.string(),
  name: z.object({ zh: z.string(), en: z.string() }),
  state: z.string(),
  nodesServing: z.number(),
  nodes: z.array(z.unknown()),
  levels: z.array(z.object({ level: z.string(), region: z.string(), serves: z.boolean(), rps: z.number() })),
  rps: z.number(),
  errorsPerSecond: z.number(),
  shedPerSecond: z.number(),
  lentRps: z.number(),
})
type RegionStatus = z.output<typeof regionStatus>

const statusAnswer = z.object({
  gateway: z.object({
    id: z.string(),
    version: z.string(),
    mode: z.string(),
    registryLost: z.object({ since: z.number(), detail: z.string() }).nullable(),
    quotaSharing: z
      .object({
        state: z.string(),
        lost: z.object({ detail: z.string() }).nullable(),
        leaseMs: z.number(),
      })
      .nullable()
      // A gateway of before knows of no others.
      .default(null),
    protection: z.string(),
    workers: z.object({ ready: z.number(), of: z.number() }),
    uptimeSeconds: z.number(),
  }),
  setMode: z.string().nullable(),
  totals: z.object({
    rps: z.number(),
    borrowedRps: z.number(),
    errorsPerSecond: z.number(),
    shedPerSecond: z.number(),
    regions: z.number(),
    nodes: z.number(),
    nodesServing: z.number(),
    holds: z.number(),
  }),
  regions: z.array(regionStatus),
})
type Status = z.output<typeof statusAnswer>

export function statusCommand(): Command {
  const examples = `  chiyuan status
  chiyuan status --lang zh-CN
  chiyuan status --json | jq '.regions[] | select(.state != "well") | .region'`
  const command = operatorsCommand(
    'status',
    'the federation at a glance, what wants attention first 总览',
    examples,
  )
  return withCommonOptions(command).action((flags: CommonFlags) =>
    withGateway(flags, async (desk) => {
      const answer = await desk.client.get('/status', statusAnswer)
      show(desk, answer, () => head(desk, answer.value) + regionsTable(desk, answer.value.regions))
    }),
  )
}

function head(desk: Desk, { gateway, setMode, totals }: Status): string {
  const setBy =
    setMode === null ? { en: 'by the file', zh: '配置文件' } : { en: 'by operators', zh: '运维人员' }
  const lost = gateway.registryLost
  return [
    fields([
      [
        desk.say({ en: 'gateway', zh: '网关' }),
        `${gateway.id} ${gateway.version}, ${desk.say({ en: 'up', zh: '已运行' })} ${span(gateway.uptimeSeconds)}`,
      ],
      [desk.say({ en: 'mode', zh: '模式' }), `${gateway.mode} (${desk.say(setBy)})`],
      [desk.say({ en: 'workers', zh: '工作进程' }), `${gateway.workers.ready}/${gateway.workers.of}`],
      [desk.say({ en: 'protection', zh: '自我保护' }), gateway.protection],
      [
        desk.say({ en: 'requests', zh: '请求' }),
        desk.say({
          en: `${rate(totals.rps)} a second, ${rate(totals.borrowedRps)} by others than the home; ${rate(totals.errorsPerSecond)} failed, ${rate(totals.shedPerSecond)} turned away`,
          zh: `每秒 ${rate(totals.rps)}，其中异地 ${rate(totals.borrowedRps)}；失败 ${rate(totals.errorsPerSecond)}，拒绝 ${rate(totals.shedPerSecond)}`,
        }),
      ],
      [
        desk.say({ en: 'nodes', zh: '节点' }),
        desk.say({
          en: `${totals.nodesServing} of ${totals.nodes} serve, in ${totals.regions} regions; ${totals.holds} holds`,
          zh: `${totals.regions} 个地区，${totals.nodes} 个节点中 ${totals.nodesServing} 个可用；${totals.holds} 项处置`,
        }),
      ],
    ]),
    lost === null
      ? ''
      : `${toned(
          'bad',
          desk.say({
            en: `the registry is lost (${lost.detail}): residents are served as before, nothing can be changed`,
            zh: `登记库不可用（${lost.detail}）：居民服务不受影响，暂不能作更改`,
          }),
        )}\n`,
    cutOff(desk, gateway.quotaSharing),
    '\n',
  ].join('')
}

/** A line where the gateway is cut off from those that it shares donors' quotas with. */
function cutOff(desk: Desk, sharing: Status['gateway']['quotaSharing']): string {
  if (sharing === null || sharing.lost === null) return ''
  const keeps: Readonly<Record<string, Words>> = {
    'last-share': {
      en: `it keeps its last shares for another ${span(sharing.leaseMs / 1000)}`,
      zh: `沿用最后的份额，还有 ${span(sharing.leaseMs / 1000)}`,
    },
    reserved: {
      en: 'it keeps the minimum that is reserved for it',
      zh: '仅使用为其保留的最低份额',
    },
    none: { en: 'it has no share of bounded pledges', zh: '没有限额援助的份额' },
  }
  const { en, zh } = keeps[sharing.state] ?? { en: sharing.state, zh: sharing.state }
  const words = {
    en: `donors' quotas are not shared with other gateways (${sharing.lost.detail}): ${en}`,
    zh: `与其他网关失联，援助额度暂不能共享（${sharing.lost.detail}）：${zh}`,
  }
  return `${toned('bad', desk.say(words))}\n`
}

/** Worst first. */
const states: Readonly<Record<string, { readonly words: Words; readonly tone: Tone }>> = {
  down: { words: { en: 'DOWN: no level serves', zh: '中断：各级均不可用' }, tone: 'bad' },
  impaired: { words: { en: 'IMPAIRED: residents see failures', zh: '受损：居民遇到失败' }, tone: 'bad' },
  helped: { words: { en: 'helped by another region', zh: '由其他地区支援' }, tone: 'careful' },
  strained: { words: { en: 'strained: a node is missing', zh: '吃紧：有节点缺位' }, tone: 'careful' },
  well: { words: { en: 'well', zh: '正常' }, tone: 'good' },
}
const order = Object.keys(states)

const stateText = (desk: Desk, state: string): string => {
  const known = states[state]
  return known === undefined ? state : desk.say(known.words)
}

function regionsTable(desk: Desk, regions: readonly RegionStatus[]): string {
  const worstFirst = regions.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  const heads = desk
    .say({
      en: 'Code|Name|Nodes|rps|Failed|Away|Lends|Served by|State',
      zh: '代码|名称|节点|rps|失败|拒绝|出借|由|状态',
    })
    .split('|')
  const rows = worstFirst.map((one) => [
    one.region,
    inLanguage(desk.language, one.name),
    `${one.nodesServing}/${one.nodes.length}`,
    rate(one.rps),
    rate(one.errorsPerSecond),
    rate(one.shedPerSecond),
    rate(one.lentRps),
    one.levels
      .filter(({ rps }) => rps > 0)
      .map(({ region }) => region)
      .join(' ') || '-',
    stateText(desk, one.state),
  ])
  const [first = '', ...lines] = table(heads, rows).trimEnd().split('\n')
  // The last column: a whole row in colour would be all colour.
  const coloured = lines.map((row, i) => {
    const state = worstFirst[i]?.state ?? ''
    const text = stateText(desk, state)
    return row.endsWith(text) ? row.slice(0, -text.length) + toned(states[state]?.tone ?? 'dim', text) : row
  })
  return `${[first, ...coloured].join('\n')}\n`
}
