// Whether the node lives, whether it may be sent residents of a home, and how busy it is.
import { setTimeout as delay } from 'node:timers/promises'
import type { Check, Verdict } from '../check.ts'
import { fail, needs, pass, skip } from '../check.ts'
import type { ConformanceClient } from '../client.ts'
import { aliveSchema, faultsOf, loadSchema, readJson, readySchema } from '../contract.ts'

export const healthChecks: readonly Check[] = [
  {
    id: 'health.alive',
    level: 'must',
    title: ['/healthz 报告存活', '/healthz says that it lives'],
    judge: async (client) => {
      const { status, body } = await client.ask({ name: '/healthz', path: '/healthz' })
      const read = aliveSchema.safeParse(readJson(body))
      if (status === 200 && read.success) return pass
      return fail('200 with status "alive", node and region', shown(status, read.error), [
        '进程存活时返回 200 及所列字段',
        'answer 200 with these members while the process lives',
      ])
    },
  },
  {
    id: 'health.ready',
    level: 'must',
    title: ['/readyz?home= 对所服务地区报告就绪', '/readyz?home= says that it serves the home'],
    judge: async (client, { home }) => {
      const { status, body } = await client.ask({ name: '/readyz?home=', path: `/readyz?home=${home}` })
      const read = readySchema.safeParse(readJson(body))
      if (status === 200 && read.success) return pass
      return fail('200 with status "ready", region and notReadyFor', shown(status, read.error), [
        '加载该地区数据与签名密钥后再检查',
        'load the data of that home and a signing key, then run again',
      ])
    },
  },
  {
    id: 'health.not-held',
    level: 'must',
    title: ['对未承载地区报告未就绪', 'is not ready for a home that it does not hold'],
    judge: async (client, { otherHome }) => {
      const { status } = await client.ask({ name: '/readyz?home=', path: `/readyz?home=${otherHome}` })
      if (status === 503) return pass
      return fail('503 for a home that it does not hold', `status ${status}`, [
        '网关据此决定转发：未承载的地区必须返回 503（若确有承载，请用 --other-home 另指一地区）',
        'gateways route by this: answer 503 (if it does hold that home, name another with --other-home)',
      ])
    },
  },
  {
    id: 'health.bad-home',
    level: 'should',
    title: ['拒绝格式错误的 home', 'refuses a home that is no division code'],
    judge: async (client) => {
      const { status } = await client.ask({ name: '/readyz?home=', path: '/readyz?home=xian' })
      if (status === 400) return pass
      return fail('400', `status ${status}`, ['home 须为六位区划代码', 'home is six digits; refuse others'])
    },
  },
]

const HELD = 4

export const loadChecks: readonly Check[] = [
  {
    id: 'load.shape',
    level: 'must',
    title: ['/load 给出在途数、上限与退出状态', '/load tells inFlight, limit and draining'],
    judge: async (client) => {
      const { status, read } = await load(client)
      if (status === 200 && read.success && read.data.inFlight <= read.data.limit) return pass
      const above = read.success ? `${read.data.inFlight} in flight of ${read.data.limit}` : ''
      return fail(
        '200 with inFlight from 0 to limit, limit from 1 to 1,000,000, draining',
        above === '' ? shown(status, read.error) : `status ${status}, ${above}`,
        ['上限应为节点真实可并发处理的请求数', 'declare the concurrency that the node really takes'],
      )
    },
  },
  {
    id: 'load.counts',
    level: 'must',
    title: ['/load 如实计入在途请求', '/load counts what is in flight'],
    judge: countsHeld,
  },
]

/** Requests are held open by their bodies; a node counts them from the header on. */
async function countsHeld(client: ConformanceClient): Promise<Verdict> {
  const before = await load(client)
  if (!before.read.success) return needs('load.shape')
  const { inFlight, limit } = before.read.data
  const wanted = Math.min(HELD, limit - inFlight)
  if (wanted < 1) return skip('the node was full already')
  const held = Array.from({ length: wanted }, () => client.hold())
  try {
    const endsAt = performance.now() + Math.min(2_000, client.timeoutMs)
    let seen = 0
    while (performance.now() < endsAt) {
      const now = await load(client)
      seen = Math.max(seen, now.read.success ? now.read.data.inFlight : 0)
      if (seen >= inFlight + wanted) return pass
      await delay(20)
    }
    return fail(
      `inFlight ${inFlight + wanted} or more while ${wanted} requests are held open`,
      `at most ${seen}`,
      [
        '自收到请求头起至发完应答止都应计入；网关据此分流',
        'count a request from its header to the last byte of its answer; gateways spread load by it',
      ],
    )
  } finally {
    for (const request of held) request.finish()
    await Promise.all(held.map(({ answer }) => answer))
  }
}

async function load(client: ConformanceClient) {
  const { status, body } = await client.ask({ name: '/load', path: '/load' })
  return { status, read: loadSchema.safeParse(readJson(body)) }
}

const shown = (status: number, error: Parameters<typeof faultsOf>[0] | undefined): string =>
  error === undefined || status !== 200 ? `status ${status}` : `status ${status}; ${faultsOf(error)}`
