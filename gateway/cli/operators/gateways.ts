// `chiyuan gateways`: the gateways of the federation, as the one that is asked knows them.
import type { Command } from 'commander'
import { z } from 'zod'
import { table } from '../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import type { Words } from './language.ts'
import { localTime, show, toned } from './output.ts'

const gatewaysAnswer = z.object({
  items: z.array(
    z.object({
      gateway: z.string(),
      machine: z.string().nullable(),
      address: z.string().nullable(),
      since: z.string(),
      version: z.string(),
      health: z.string(),
      detail: z.string(),
      own: z.boolean(),
    }),
  ),
  stale: z.object({ since: z.string(), detail: z.string() }).nullable(),
})
type Gateways = z.output<typeof gatewaysAnswer>

export function gatewaysCommand(): Command {
  const examples = `  chiyuan gateways
  chiyuan gateways --lang zh-CN
  chiyuan gateways --json | jq -r '.items[] | select(.health != "passing") | .address'`
  const command = operatorsCommand(
    'gateways',
    'the gateways of the federation, and how each is 网关列表',
    examples,
  )
  return withCommonOptions(command).action((flags: CommonFlags) =>
    withGateway(flags, async (desk) => {
      const answer = await desk.client.get('/gateways', gatewaysAnswer)
      show(desk, answer, () => staleLine(desk, answer.value) + gatewaysTable(desk, answer.value))
    }),
  )
}

function staleLine(desk: Desk, { stale }: Gateways): string {
  if (stale === null) return ''
  const since = localTime(stale.since)
  const text = desk.say({
    en: `the others can’t be seen; this is as of ${since}: ${stale.detail}`,
    zh: `暂时看不到其他网关，以下为 ${since} 所见：${stale.detail}`,
  })
  return `${toned('careful', text)}\n\n`
}

const gatewaysTable = (desk: Desk, { items }: Gateways): string =>
  table(
    desk
      .say({
        en: 'Gateway|Machine|Address|Version|Started|Health',
        zh: '网关|主机|地址|版本|启动时间|状态',
      })
      .split('|'),
    items.map((one) => [
      one.own ? `${one.gateway} ${desk.say({ en: '(asked)', zh: '（本机）' })}` : one.gateway,
      one.machine ?? '-',
      one.address ?? '-',
      one.version,
      localTime(one.since),
      healthText(desk, one.health, one.detail),
    ]),
  )

const healths: Readonly<Record<string, Words>> = {
  passing: { en: 'well', zh: '正常' },
  warning: { en: 'WARNING', zh: '告警' },
  critical: { en: 'CRITICAL', zh: '异常' },
}

function healthText(desk: Desk, health: string, detail: string): string {
  const known = healths[health]
  const text = known === undefined ? health : desk.say(known)
  return detail === '' ? text : `${text}: ${detail}`
}
