// `chiyuan hold`: operators' decisions on nodes and regions, each a lease with a reason.
import { randomUUID } from 'node:crypto'
import { Argument, type Command } from 'commander'
import { type HoldKind, holdKinds } from '../../model/hold.ts'
import { UsageError } from '../../model/errors.ts'
import { fields, oneLine, table } from '../table.ts'
import { type HoldAnswer, holdAnswer, noAnswerBody } from './answers.ts'
import { change } from './change.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { mustAgree } from './consent.ts'
import { foreseen } from './foresight.ts'
import type { Words } from './language.ts'
import { duration, reasonOption, yesOption } from './option-values.ts'
import { left, localTime, show, span } from './output.ts'
import { allPages, withQuery } from './pages.ts'

interface ChangeFlags extends CommonFlags {
  readonly reason: string
  readonly yes?: true
}

interface Target {
  readonly node?: string | undefined
  readonly region?: string | undefined
}

interface PutFlags extends ChangeFlags, Target {
  readonly for: number
  readonly override?: true
}

export function holdCommand(): Command {
  const command = operatorsCommand(
    'hold',
    'take nodes or regions out of service, or back 摘除、排空或强制启用节点',
    examples,
  )
  withCommonOptions(
    command
      .command('put')
      .description('put a hold on a node or a region; it ends by itself 设置处置，到期自动解除')
      .addArgument(
        new Argument('<kind>', 'trip 立即摘除, drain 排空, bypass 忽略探测').choices([...holdKinds]),
      )
      .option('--node <id>', 'one node … 单个节点')
      .option('--region <code>', '… or all nodes of a region 或整个地区')
      .requiredOption('--for <time>', 'how long, such as 30s, 10m, 2h 时长', duration)
      .addOption(reasonOption())
      .option('--override', 'do it although a guard objects 保护规则反对时仍执行')
      .addOption(yesOption()),
  ).action((kind: HoldKind, flags: PutFlags) => withGateway(flags, (desk) => put(desk, kind, flags)))
  withCommonOptions(
    command
      .command('list')
      .description('all holds that have not ended 列出生效中的处置')
      .option('--node <id>', 'only those on this node 仅此节点')
      .option('--region <code>', 'only those on this region 仅此地区'),
  ).action((flags: CommonFlags & Target) => withGateway(flags, (desk) => list(desk, flags)))
  withCommonOptions(command.command('show').description('one hold 查看一项处置').argument('<id>')).action(
    (id: string, flags: CommonFlags) =>
      withGateway(flags, async (desk) => {
        const answer = await desk.client.get(pathOf(id), holdAnswer)
        show(desk, answer, () => inFull(desk, answer.value))
      }),
  )
  withCommonOptions(
    command
      .command('extend')
      .description('give a hold another end, from now 重新设定时长，自现在起算')
      .argument('<id>')
      .requiredOption('--for <time>', 'how long from now, such as 10m 自现在起的时长', duration)
      .addOption(reasonOption())
      .addOption(yesOption()),
  ).action((id: string, flags: ChangeFlags & { for: number }) =>
    withGateway(flags, (desk) => extend(desk, id, flags)),
  )
  withCommonOptions(
    command
      .command('end')
      .description('end a hold: what is measured counts again 解除处置')
      .argument('<id>')
      .addOption(reasonOption())
      .addOption(yesOption()),
  ).action((id: string, flags: ChangeFlags) => withGateway(flags, (desk) => end(desk, id, flags)))
  return command
}

const examples = `  chiyuan hold put trip --node xian-1 --for 10m --reason 'disk failing'
  chiyuan hold put drain --region 610100 --for 2h --reason '机房割接' --yes
  chiyuan hold list
  chiyuan hold extend 0f3c… --for 1h --reason 'still failing'
  chiyuan hold end 0f3c… --reason repaired`

const meanings: Readonly<Record<string, Words>> = {
  trip: { en: 'nothing is sent to it', zh: '不再向其转发任何请求' },
  drain: { en: 'what is in flight ends, nothing new is sent to it', zh: '在途请求办完，不再转发新请求' },
  bypass: { en: 'it is served whatever is measured of it', zh: '无论探测结果如何都向其转发' },
}

const pathOf = (id: string): string => `/holds/${encodeURIComponent(id)}`
const onWhat = ({ node, region }: Target): string => oneLine(node ?? region ?? '?')

async function put(desk: Desk, kind: HoldKind, flags: PutFlags): Promise<void> {
  const { node, region, reason, yes, override } = flags
  if ((node === undefined) === (region === undefined)) {
    throw new UsageError(
      'name either a node by --node or a region by --region 请指定 --node 或 --region 之一',
    )
  }
  const until = new Date(Date.now() + flags.for * 1000).toISOString()
  const what = { kind, onWhat: onWhat(flags), reason, until, span: span(flags.for) }
  const scope = node === undefined ? { region: region ?? '' } : { node }
  const effect = await foreseen(desk, [{ hold: { kind, scope } }])
  await mustAgree(desk, yes === true, plan(desk, what) + effect)
  const body = { kind, node, region, reason, seconds: flags.for, ...(override === true && { override }) }
  const sent = { body, idempotencyKey: randomUUID() }
  const answer = await desk.client.send('POST', '/holds', sent, holdAnswer)
  show(desk, answer, () => inFull(desk, answer.value))
}

const plan = (
  desk: Desk,
  {
    kind,
    onWhat,
    until,
    span,
    reason,
  }: { kind: string; onWhat: string; until: string; span: string; reason: string },
): string =>
  `${desk.say({
    en: `${kind} on ${onWhat} for ${span}, until ${localTime(until)}: ${meanings[kind]?.en ?? ''}. Reason: ${oneLine(reason)}`,
    zh: `对 ${onWhat} 执行 ${kind}，时长 ${span}，至 ${localTime(until)}：${meanings[kind]?.zh ?? ''}。原因：${oneLine(reason)}`,
  })}\n`

async function list(desk: Desk, { node, region }: Target): Promise<void> {
  const answer = await allPages(desk.client, withQuery('/holds', { node, region }), holdAnswer)
  show(desk, answer, () => {
    if (answer.value.length === 0) return `${desk.say({ en: 'no holds', zh: '没有生效中的处置' })}\n`
    const heads = desk
      .say({ en: 'ID|Kind|On|Ends in|Owner|Reason', zh: '编号|类型|对象|剩余|负责人|原因' })
      .split('|')
    const rows = answer.value.map((hold) => [
      hold.id,
      hold.kind,
      onWhat(hold),
      left(hold.expiresAt),
      hold.owner,
      hold.reason,
    ])
    return table(heads, rows)
  })
}

const inFull = (desk: Desk, hold: HoldAnswer): string =>
  fields([
    [desk.say({ en: 'id', zh: '编号' }), hold.id],
    [
      desk.say({ en: 'kind', zh: '类型' }),
      `${hold.kind}: ${desk.say(meanings[hold.kind] ?? { en: '', zh: '' })}`,
    ],
    [desk.say({ en: 'on', zh: '对象' }), onWhat(hold)],
    [desk.say({ en: 'owner', zh: '负责人' }), hold.owner],
    [desk.say({ en: 'reason', zh: '原因' }), hold.reason],
    [desk.say({ en: 'since', zh: '设置于' }), localTime(hold.createdAt)],
    [desk.say({ en: 'ends', zh: '到期' }), `${localTime(hold.expiresAt)} (${left(hold.expiresAt)})`],
  ])

async function extend(desk: Desk, id: string, flags: ChangeFlags & { for: number }): Promise<void> {
  const { value, version } = await desk.client.get(pathOf(id), holdAnswer)
  const { reason, yes } = flags
  const until = new Date(Date.now() + flags.for * 1000).toISOString()
  const what = { kind: value.kind, onWhat: onWhat(value), reason, until, span: span(flags.for) }
  await mustAgree(desk, yes === true, plan(desk, what))
  const body = { reason, seconds: flags.for }
  const sent = { method: 'PATCH', path: pathOf(id), body, version, target: `holds/${id}` } as const
  const answer = await change(desk, sent, holdAnswer)
  show(desk, answer, () => inFull(desk, answer.value))
}

async function end(desk: Desk, id: string, { reason, yes }: ChangeFlags): Promise<void> {
  const { value, version } = await desk.client.get(pathOf(id), holdAnswer)
  const text = {
    en: `end the ${value.kind} on ${onWhat(value)} that ${oneLine(value.owner)} put (${oneLine(value.reason)}): what is measured counts again. Reason: ${oneLine(reason)}`,
    zh: `解除 ${oneLine(value.owner)} 对 ${onWhat(value)} 的 ${value.kind}（${oneLine(value.reason)}）：恢复按探测结果转发。原因：${oneLine(reason)}`,
  }
  const effect = await foreseen(desk, [{ endHold: id }])
  await mustAgree(desk, yes === true, `${desk.say(text)}\n${effect}`)
  const path = withQuery(pathOf(id), { reason })
  await change(desk, { method: 'DELETE', path, version, target: `holds/${id}` }, noAnswerBody)
  if (!desk.json) process.stdout.write(`${desk.say({ en: 'ended', zh: '已解除' })}\n`)
}
