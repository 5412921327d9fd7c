// `chiyuan tokens`: who may use the operators' API.
import { type Command, Option } from 'commander'
import { roles } from '../../model/operator.ts'
import { UsageError } from '../../model/errors.ts'
import { fields, oneLine, table } from '../table.ts'
import { newTokenAnswer, noAnswerBody, scopeText, type TokenAnswer, tokenAnswer } from './answers.ts'
import { change } from './change.ts'
import {
  type CommonFlags,
  type Desk,
  inWords,
  operatorsCommand,
  withCommonOptions,
  withGateway,
} from './command.ts'
import { mustAgree } from './consent.ts'
import { inLanguage } from './language.ts'
import { days, reasonOption, yesOption } from './option-values.ts'
import { left, localTime, show } from './output.ts'
import { allPages, withQuery } from './pages.ts'
import { tokenOutlet } from './token-outlet.ts'

interface CreateFlags extends CommonFlags {
  readonly name?: string
  readonly role?: readonly string[]
  readonly scope?: string
  readonly days?: number | null
  readonly reason: string
  readonly out?: string
  readonly local?: true
  readonly config?: string
}

interface ChangeFlags extends CommonFlags {
  readonly reason: string
  readonly yes?: true
  readonly out?: string
}

export function tokensCommand(): Command {
  const command = operatorsCommand('tokens', 'access tokens of operators 运维访问令牌', examples)
  withCommonOptions(
    command.command('list').description('all of them, the revoked ones too 列出全部令牌'),
  ).action((flags: CommonFlags) => withGateway(flags, list))
  withCommonOptions(command.command('show').description('one of them 查看一个令牌').argument('<id>')).action(
    (id: string, flags: CommonFlags) =>
      withGateway(flags, async (desk) => {
        const answer = await desk.client.get(pathOf(id), tokenAnswer)
        show(desk, answer, () => inFull(desk, answer.value))
      }),
  )
  withCommonOptions(createCommand(command)).action((flags: CreateFlags) =>
    flags.local === true ? createLocally(flags) : withGateway(flags, (desk) => create(desk, flags)),
  )
  withCommonOptions(
    command
      .command('rotate')
      .description('give a token a new secret; the old one is no good from then on 轮换令牌，旧令牌立即失效')
      .argument('<id>')
      .addOption(outOption())
      .addOption(reasonOption())
      .addOption(yesOption()),
  ).action((id: string, flags: ChangeFlags) => withGateway(flags, (desk) => rotate(desk, id, flags)))
  withCommonOptions(
    command
      .command('revoke')
      .description('revoke a token, for good 永久吊销令牌')
      .argument('<id>')
      .addOption(reasonOption())
      .addOption(yesOption()),
  ).action((id: string, flags: ChangeFlags) => withGateway(flags, (desk) => revoke(desk, id, flags)))
  return command
}

const createCommand = (command: Command): Command =>
  command
    .command('create')
    .description('make a token; it is shown this once, alone on standard output 创建令牌，仅显示这一次')
    .option('--name <name>', 'the person or the program 使用者')
    .addOption(new Option('--role <roles...>', 'what it may do 角色').choices([...roles]))
    .option('--scope <codes>', 'regions, each with all below it, such as 610000,620100; * for all 地区范围')
    .option('--days <days>', 'until it expires, or never 有效天数 (default: 90)', days)
    .addOption(outOption())
    .addOption(reasonOption())
    .addOption(
      new Option(
        '--local',
        'an admin’s for all regions, written into the registry itself: no token is left 管理员令牌遗失时在本机重建',
      ).conflicts(['name', 'role', 'scope', 'days', 'json']),
    )
    .option('-c, --config <file>', 'the gateway’s configuration, for --local 网关配置文件')

const outOption = (): Option =>
  new Option('--out <file>', 'write the token there, for you alone to read 写入仅本人可读的文件').conflicts(
    'json',
  )

const examples = `  chiyuan tokens create --name 'Li Lei' --role operator --scope 610000 --reason 'new on duty' --out lilei.token
  chiyuan tokens create --name 李雷 --role viewer --scope '*' --days 30 --reason '值班' > viewer.token
  chiyuan tokens list
  chiyuan tokens rotate k3v9x2mq --reason 'once a quarter' --out lilei.token.new
  chiyuan tokens revoke k3v9x2mq --reason 'has left'
  chiyuan tokens create --local --config gateway.yaml --reason 'the admin token was lost' --out admin.token`

const pathOf = (id: string): string => `/tokens/${encodeURIComponent(id)}`

async function list(desk: Desk): Promise<void> {
  const answer = await allPages(desk.client, '/tokens', tokenAnswer)
  show(desk, answer, () => {
    const heads = desk.say({
      en: 'ID|Name|Roles|Regions|State|Made by',
      zh: '编号|使用者|角色|地区|状态|创建人',
    })
    return table(
      heads.split('|'),
      answer.value.map((token) => [
        token.id,
        token.name,
        token.roles.join(' '),
        scopeText(token.scope),
        stateOf(desk, token),
        token.createdBy,
      ]),
    )
  })
}

function stateOf(desk: Desk, { revokedAt, expiresAt }: TokenAnswer): string {
  if (revokedAt !== null) return desk.say({ en: 'revoked', zh: '已吊销' })
  if (expiresAt === null) return desk.say({ en: 'never expires', zh: '永久有效' })
  if (Date.parse(expiresAt) <= Date.now()) return desk.say({ en: 'expired', zh: '已过期' })
  return desk.say({ en: `${left(expiresAt)} left`, zh: `剩余 ${left(expiresAt)}` })
}

const inFull = (desk: Desk, token: TokenAnswer): string =>
  fields([
    [desk.say({ en: 'id', zh: '编号' }), token.id],
    [desk.say({ en: 'name', zh: '使用者' }), token.name],
    [desk.say({ en: 'roles', zh: '角色' }), token.roles.join(' ')],
    [desk.say({ en: 'regions', zh: '地区' }), scopeText(token.scope)],
    [desk.say({ en: 'state', zh: '状态' }), stateOf(desk, token)],
    [desk.say({ en: 'made', zh: '创建' }), `${localTime(token.createdAt)}, ${token.createdBy}`],
  ])

async function create(desk: Desk, { name, role, scope, days = 90, reason, out }: CreateFlags): Promise<void> {
  if (name === undefined || role === undefined || scope === undefined) {
    throw new UsageError(
      'name whose it is, what it may do and where: --name, --role and --scope 请给出使用者、角色与地区范围',
    )
  }
  const body = { name, roles: role, scope: scope === '*' ? scope : scope.split(/[\s,]+/), days, reason }
  await using outlet = await tokenOutlet(out)
  const answer = await desk.client.send('POST', '/tokens', { body }, newTokenAnswer)
  if (desk.json) return show(desk, answer, () => '')
  process.stderr.write(inFull(desk, answer.value))
  await outlet.give(answer.value.token, desk.language)
}

/** For whoever may read and write the gateway's own files. */
const createLocally = (flags: CreateFlags): Promise<void> =>
  inWords(flags, async (language) => {
    if (flags.config === undefined) {
      throw new UsageError(
        '--local writes into a gateway’s registry: name its configuration by --config 请以 --config 指定网关配置',
      )
    }
    await using outlet = await tokenOutlet(flags.out)
    const { makeTokenByHand } = await import('../../compose/offline.ts')
    const made = await makeTokenByHand(flags.config, process.env, flags.reason)
    const words = {
      en: `admin token ${made.id} for all regions, written into ${made.registry}; gateways take it at once. Revoke the lost one`,
      zh: `管理员令牌 ${made.id} 已写入 ${made.registry}，网关立即认可。请吊销遗失的令牌`,
    }
    process.stderr.write(`${inLanguage(language, words)}\n`)
    await outlet.give(made.token, language)
  })

async function rotate(desk: Desk, id: string, { reason, yes, out }: ChangeFlags): Promise<void> {
  const { value, version } = await desk.client.get(pathOf(id), tokenAnswer)
  const text = {
    en: `give ${id} of ${oneLine(value.name)} a new secret: the old one is no good from then on`,
    zh: `为 ${oneLine(value.name)} 的 ${id} 更换密钥：旧令牌立即失效`,
  }
  await mustAgree(desk, yes === true, `${desk.say(text)}\n`)
  await using outlet = await tokenOutlet(out)
  const sent = {
    method: 'POST',
    path: `${pathOf(id)}/rotation`,
    body: { reason },
    version,
    target: `tokens/${id}`,
  } as const
  const answer = await change(desk, sent, newTokenAnswer)
  if (desk.json) return show(desk, answer, () => '')
  await outlet.give(answer.value.token, desk.language)
}

async function revoke(desk: Desk, id: string, { reason, yes }: ChangeFlags): Promise<void> {
  const { value, version } = await desk.client.get(pathOf(id), tokenAnswer)
  const text = {
    en: `revoke ${id} of ${oneLine(value.name)} (${value.roles.join(' ')}), for good`,
    zh: `永久吊销 ${oneLine(value.name)} 的 ${id}（${value.roles.join(' ')}）`,
  }
  await mustAgree(desk, yes === true, `${desk.say(text)}\n`)
  const path = withQuery(pathOf(id), { reason })
  await change(desk, { method: 'DELETE', path, version, target: `tokens/${id}` }, noAnswerBody)
  if (!desk.json) process.stdout.write(`${desk.say({ en: 'revoked', zh: '已吊销' })}\n`)
}
