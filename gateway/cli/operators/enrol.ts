// `chiyuan enrol`: a donor's way from a draft to serving others' residents, and away again.
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { oneLine } from '../table.ts'
import { change } from './change.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { mustAgree } from './consent.ts'
import {
  type EnrolmentAnswer,
  enrolmentAnswer,
  enrolmentInFull,
  enrolmentsTable,
  stateText,
} from './enrolment-text.ts'
import { readTerms, withLines } from './enrolment-terms.ts'
import { foreseen } from './foresight.ts'
import { inLanguage, type Words } from './language.ts'
import { reasonOption, yesOption } from './option-values.ts'
import { show } from './output.ts'
import { allPages, withQuery } from './pages.ts'
import { showVerification, verify } from './verification.ts'

interface TermsFlags extends CommonFlags {
  readonly file: string
  readonly reason: string
}

interface StepFlags extends CommonFlags {
  readonly reason: string
  readonly yes?: true
  readonly override?: true
}

interface Step {
  readonly name: string
  readonly description: string
  /** What it does to residents' traffic, for the question before; `null` where it does nothing to it. */
  readonly effect: Words | null
  /** Whether a guard may object. */
  readonly isGuarded?: true
}

const steps: readonly Step[] = [
  { name: 'submit', description: 'hand a draft in 提交草稿', effect: null },
  { name: 'return', description: 'give it back to its author as a draft 退回草稿', effect: null },
  {
    name: 'approve',
    description: 'approve what was verified; not by who submitted it 批准（提交人除外）',
    effect: null,
  },
  {
    name: 'activate',
    description: 'let it serve, from 1 % of its pledge upwards 生效，自 1 % 起逐步放量',
    effect: { en: 'it serves from 1 % of its pledge upwards', zh: '自承诺量的 1 % 起逐步承接' },
  },
  {
    name: 'suspend',
    description: 'drain it, to go on later 暂停并排空',
    effect: { en: 'it is drained, and may go on later', zh: '排空，之后可恢复' },
    isGuarded: true,
  },
  {
    name: 'resume',
    description: 'let it serve again, from 1 % upwards 恢复，自 1 % 起逐步放量',
    effect: { en: 'it serves again, from 1 % upwards', zh: '自 1 % 起恢复承接' },
  },
  {
    name: 'withdraw',
    description: 'drain it, for good 排空并永久撤出',
    effect: { en: 'it is drained, for good', zh: '排空，永久撤出' },
    isGuarded: true,
  },
]

export function enrolCommand(): Command {
  const command = operatorsCommand(
    'enrol',
    'regions that offer to serve others’ residents 支援方入网',
    examples,
  )
  withCommonOptions(
    command
      .command('list')
      .description('all enrolments, the withdrawn ones too 列出全部入网')
      .option('--state <state>', 'only those in this state 仅此状态')
      .option('--donor <code>', 'only those of this region 仅此地区'),
  ).action((flags: CommonFlags & { state?: string; donor?: string }) =>
    withGateway(flags, (desk) => list(desk, flags)),
  )
  withCommonOptions(
    command.command('show').description('one enrolment 查看一项入网').argument('<id>'),
  ).action((id: string, flags: CommonFlags) =>
    withGateway(flags, async (desk) => tell(desk, await desk.client.get(pathOf(id), enrolmentAnswer))),
  )
  withCommonOptions(
    termsOptions(command.command('draft').description('draft an enrolment from a file 按文件起草入网')),
  ).action((flags: TermsFlags) => withGateway(flags, (desk) => draft(desk, flags)))
  withCommonOptions(
    termsOptions(
      command
        .command('edit')
        .description('give it other terms; it is a draft again 修改条款，回到草稿')
        .argument('<id>'),
    ),
  ).action((id: string, flags: TermsFlags) => withGateway(flags, (desk) => edit(desk, id, flags)))
  withCommonOptions(
    command
      .command('verify')
      .description('try the donor’s nodes for real; Ctrl-C breaks it off 实测支援方节点，按 Ctrl-C 中止')
      .argument('<id>')
      .addOption(reasonOption()),
  ).action((id: string, flags: StepFlags) => withGateway(flags, (desk) => verify(desk, id, flags.reason)))
  withCommonOptions(
    command
      .command('report')
      .description('what the last verification found 查看最近一次核验')
      .argument('<id>'),
  ).action((id: string, flags: CommonFlags) => withGateway(flags, (desk) => showVerification(desk, id)))
  for (const step of steps) {
    withCommonOptions(
      stepOptions(command.command(step.name).description(step.description).argument('<id>'), step),
    ).action((id: string, flags: StepFlags) => withGateway(flags, (desk) => take(desk, id, step, flags)))
  }
  return command
}

const termsOptions = (command: Command): Command =>
  command
    .requiredOption('-f, --file <file>', 'the terms, in YAML or JSON; - for standard input 条款文件')
    .addOption(reasonOption())

function stepOptions(command: Command, { effect, isGuarded }: Step): Command {
  command.addOption(reasonOption())
  if (isGuarded === true) command.option('--override', 'do it although a guard objects 保护规则反对时仍执行')
  return effect === null ? command : command.addOption(yesOption())
}

const examples = `  chiyuan enrol draft --file yanan.yaml --reason '支援西安'
  chiyuan enrol submit 7f3a… --reason 'terms agreed'
  chiyuan enrol verify 7f3a… --reason 'before approval'
  chiyuan enrol approve 7f3a… --reason 'verified' --token-file approver.token   # another person 另一人
  chiyuan enrol activate 7f3a… --reason 'drill week' --yes
  chiyuan enrol suspend 7f3a… --reason '维护窗口'

The terms 条款文件:
  donor: { code: '610600', name: { zh: 延安, en: Yan'an }, tier: city }
  homes: ['610100']
  nodes: [{ id: yanan-1, url: 'https://node.yanan.example:9443' }]
  limit: { rps: 200, concurrent: 50 }
  reserve: 0.3                                  # kept for its own residents 自留
  hours: { from: '20:00', until: '08:00' }      # Asia/Shanghai; left out: always 缺省为全天
  data: { fields: [testTime, testResult], rpoSeconds: 2 }
  contact: { office: 延安市数据局, phone: 0911-0000000, email: duty@yanan.example }
  validFrom: '2026-12-01T00:00:00+08:00'
  validUntil: '2027-03-01T00:00:00+08:00'
  tls: { ca: "-----BEGIN CERTIFICATE-----…" }   # or pins, serverName, clientCertificate`

const pathOf = (id: string): string => `/enrolments/${encodeURIComponent(id)}`

const tell = (desk: Desk, answer: { readonly value: EnrolmentAnswer; readonly text: string }): void =>
  show(desk, answer, () => enrolmentInFull(desk, answer.value))

async function list(desk: Desk, { state, donor }: { state?: string; donor?: string }): Promise<void> {
  const answer = await allPages(desk.client, withQuery('/enrolments', { state, donor }), enrolmentAnswer)
  show(desk, answer, () =>
    answer.value.length === 0
      ? `${desk.say({ en: 'no enrolments', zh: '没有入网' })}\n`
      : enrolmentsTable(desk, answer.value),
  )
}

async function draft(desk: Desk, { file, reason }: TermsFlags): Promise<void> {
  const read = await readTerms(file)
  const sent = { body: { terms: read.terms, reason }, idempotencyKey: randomUUID() }
  tell(desk, await withLines(read, () => desk.client.send('POST', '/enrolments', sent, enrolmentAnswer)))
}

async function edit(desk: Desk, id: string, { file, reason }: TermsFlags): Promise<void> {
  const read = await readTerms(file)
  const { version } = await desk.client.get(pathOf(id), enrolmentAnswer)
  const sent = {
    method: 'PUT',
    path: pathOf(id),
    body: { terms: read.terms, reason },
    version,
    target: `enrolments/${id}`,
  } as const
  tell(desk, await withLines(read, () => change(desk, sent, enrolmentAnswer)))
}

async function take(
  desk: Desk,
  id: string,
  { name, effect, isGuarded }: Step,
  { reason, yes, override }: StepFlags,
): Promise<void> {
  const { value, version } = await desk.client.get(pathOf(id), enrolmentAnswer)
  if (effect !== null) {
    const { code, name: donor } = value.terms.donor
    const what = `${name} ${code} ${oneLine(inLanguage(desk.language, donor))} (${stateText(desk, value.state)}): ${desk.say(effect)}`
    const why = desk.say({ en: `Reason: ${oneLine(reason)}`, zh: `原因：${oneLine(reason)}` })
    const forecast = await foreseen(desk, [{ enrolment: id, step: name }])
    await mustAgree(desk, yes === true, `${what}. ${why}\n${forecast}`)
  }
  const body = { reason, ...(isGuarded === true && override === true && { override }) }
  const sent = {
    method: 'POST',
    path: `${pathOf(id)}/${name}`,
    body,
    version,
    target: `enrolments/${id}`,
  } as const
  tell(desk, await change(desk, sent, enrolmentAnswer))
}
