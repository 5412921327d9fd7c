// `chiyuan explain`: why a resident's request would go where.
import type { Command } from 'commander'
import { z } from 'zod'
import { fields, table } from '../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { levelText, percent } from './foresight.ts'
import { show, toned } from './output.ts'
import { withQuery } from './pages.ts'

const wordsOf = z.record(z.string(), z.object({ zh: z.string(), en: z.string() }))
const explainAnswer = z.object({
  routeClass: z.string(),
  explanation: z.object({
    home: z.string(),
    levels: z.array(
      z.object({
        level: z.string(),
        region: z.string(),
        nodes: z.array(
          z.object({
            node: z.string(),
            verdict: z.string(),
            inFlight: z.number(),
            limit: z.number().nullable(),
            firstShare: z.number(),
          }),
        ),
      }),
    ),
    plan: z.array(
      z.object({
        node: z.string(),
        level: z.string(),
        region: z.string(),
        verdict: z.string(),
        why: z.string(),
      }),
    ),
    prospect: z.string(),
  }),
  words: z.object({ verdicts: wordsOf, reasons: wordsOf, prospects: wordsOf }),
})
type Explained = z.output<typeof explainAnswer>

interface Flags extends CommonFlags {
  readonly home: string
  readonly path: string
  readonly method: string
}

export function explainCommand(): Command {
  const examples = `  chiyuan explain --home 610100
  chiyuan explain --home 610100 --path /v1/codes/x --method POST --lang zh-CN`
  const command = operatorsCommand(
    'explain',
    'why a resident’s request would go where; nothing is sent 解释请求去向',
    examples,
  )
    .requiredOption('--home <region>', 'the resident’s home region 属地')
    .option('--path <path>', 'of the request, for its route class 请求路径', '/')
    .option('--method <method>', 'of the request 请求方法', 'GET')
  return withCommonOptions(command).action((flags: Flags) =>
    withGateway(flags, async (desk) => {
      const { home, path, method } = flags
      const answer = await desk.client.get(withQuery('/explain', { home, path, method }), explainAnswer)
      show(desk, answer, () => explained(desk, answer.value))
    }),
  )
}

function explained(desk: Desk, { routeClass, explanation, words }: Explained): string {
  const said = (of: z.output<typeof wordsOf>, code: string): string =>
    desk.say(of[code] ?? { en: code, zh: code })
  const { home, levels, plan, prospect } = explanation
  const served = prospect === 'served'
  const nodes = levels.flatMap(({ level, region, nodes }) =>
    nodes.map(({ node, verdict, inFlight, limit, firstShare }) => [
      levelText(desk, level),
      region,
      node,
      `${inFlight}/${limit === null ? '?' : Math.floor(limit)}`,
      percent(firstShare),
      verdict === 'ok' ? said(words.verdicts, verdict) : `${verdict}: ${said(words.verdicts, verdict)}`,
    ]),
  )
  const tries = plan.map(({ node, level, region, why }, i) => [
    String(i + 1),
    node,
    levelText(desk, level),
    region,
    said(words.reasons, why),
  ])
  return [
    fields([
      [desk.say({ en: 'home', zh: '属地' }), home],
      [desk.say({ en: 'route class', zh: '请求类别' }), routeClass],
      [desk.say({ en: 'prospect', zh: '结论' }), said(words.prospects, prospect)],
    ]),
    served
      ? ''
      : `${toned('bad', desk.say({ en: 'It would not be served at once.', zh: '请求不会立即得到服务。' }))}\n`,
    '\n',
    table(
      desk
        .say({ en: 'Level|Region|Node|Open|First|May it be tried', zh: '层级|地区|节点|在途|首选|可否尝试' })
        .split('|'),
      nodes,
    ),
    '\n',
    table(desk.say({ en: 'Try|Node|Level|Region|Why', zh: '次序|节点|层级|地区|原因' }).split('|'), tries),
  ].join('')
}
