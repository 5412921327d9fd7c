// `chiyuan drill`: faults put upon a share of residents on purpose, and what came of it.
import { type Command, Option } from 'commander'
import { drillStates } from '../../../model/drill.ts'
import { UsageError } from '../../../model/errors.ts'
import { type CommonFlags, operatorsCommand, withCommonOptions, withGateway } from '../command.ts'
import { reasonOption, yesOption } from '../option-values.ts'
import { compareCommand } from './compare.ts'
import { type DraftFlags, withDraftOptions } from './draft-flags.ts'
import { type GameDayFlags, runGameDay } from './game-day.ts'
import { release, showLever, stopAll } from './lever.ts'
import { report, type ReportFormat, reportFormats } from './report.ts'
import { scoreboardCommand } from './scoreboard.ts'
import { decide, draft, drillOf, list, showPreview, start, type StepFlags, stop, tell } from './steps.ts'
import { watch } from './watch.ts'

const decisions = [
  { name: 'approve', description: 'approve it; not by who drafted it 批准（起草人除外）' },
  { name: 'refuse', description: 'refuse it 驳回' },
  { name: 'schedule', description: 'let it begin by its schedule 按排期执行' },
] as const

export function drillCommand(): Command {
  const command = operatorsCommand(
    'drill',
    'faults on purpose, guarded, ending by themselves 故障演练',
    examples,
  )
  looks(command)
  steps(command)
  lever(command)
  command.addCommand(compareCommand())
  command.addCommand(scoreboardCommand())
  withCommonOptions(
    command
      .command('run')
      .description('a game day: several drills in order 演练日：按文件依次执行')
      .argument('<file>', 'the game day, in YAML; - for standard input')
      .option('--dry-run', 'draft and judge all, begin none 仅检查，不执行')
      .option('-o, --out <folder>', 'write each report there, as HTML and JSON 报告目录')
      .addOption(yesOption()),
  ).action((file: string, flags: GameDayFlags) => withGateway(flags, (desk) => runGameDay(desk, file, flags)))
  return command
}

function looks(command: Command): void {
  withCommonOptions(
    command
      .command('list')
      .description('all drills, also those that are over 列出全部演练')
      .option('--home <code>', 'only those of this home region 仅此地区')
      .addOption(
        new Option('--state <state>', 'only those in this state 仅此状态').choices([...drillStates]),
      ),
  ).action((flags: CommonFlags & { home?: string; state?: string }) =>
    withGateway(flags, (desk) => list(desk, flags)),
  )
  withCommonOptions(command.command('show').description('one drill 查看一项演练').argument('<id>')).action(
    (id: string, flags: CommonFlags) =>
      withGateway(flags, async (desk) => tell(desk, await drillOf(desk, id))),
  )
  withCommonOptions(
    command
      .command('watch')
      .description(
        'how it goes, as it goes; Ctrl-C looks away and ends nothing 实时查看，按 Ctrl-C 退出不影响演练',
      )
      .argument('<id>'),
  ).action((id: string, flags: CommonFlags) => withGateway(flags, (desk) => watch(desk, id)))
  withCommonOptions(
    command
      .command('report')
      .description('what came of it 演练报告')
      .argument('<id>')
      .addOption(
        new Option('-f, --format <format>', 'markdown, html or json 格式').choices([...reportFormats]),
      )
      .option('-o, --out <file>', 'write it to a new file; its name may choose the format 写入文件'),
  ).action((id: string, flags: CommonFlags & { format?: ReportFormat; out?: string }) =>
    withGateway(flags, (desk) => report(desk, id, flags)),
  )
}

function steps(command: Command): void {
  withCommonOptions(
    withDraftOptions(
      command.command('draft').description('draft a drill, from a file or by options 按文件或选项起草演练'),
    ),
  ).action((flags: CommonFlags & DraftFlags) => withGateway(flags, (desk) => draft(desk, flags)))
  withCommonOptions(
    command
      .command('preview')
      .description('what it would do, and what speaks against it now 预演影响与反对意见')
      .argument('<id>'),
  ).action((id: string, flags: CommonFlags) => withGateway(flags, (desk) => showPreview(desk, id)))
  for (const { name, description } of decisions) {
    withCommonOptions(
      command.command(name).description(description).argument('<id>').addOption(reasonOption()),
    ).action((id: string, flags: StepFlags) => withGateway(flags, (desk) => decide(desk, id, name, flags)))
  }
  withCommonOptions(
    command
      .command('start')
      .description('begin it now 立即开始')
      .argument('<id>')
      .addOption(reasonOption())
      .option('--override', 'begin although a guard objects 保护规则反对时仍执行')
      .option('--watch', 'and watch it to its end 并实时查看')
      .addOption(yesOption()),
  ).action((id: string, flags: StepFlags) => withGateway(flags, (desk) => start(desk, id, flags)))
}

function lever(command: Command): void {
  withCommonOptions(
    command
      .command('stop')
      .description('end a drill, or give it up; --all ends all and bars new ones 结束演练；--all 总停')
      .argument('[id]')
      .option('--all', 'all of them, and none may begin until released 全部结束，解除前不得开始')
      .addOption(reasonOption()),
  ).action((id: string | undefined, flags: StepFlags & { all?: true }) =>
    withGateway(flags, (desk) => {
      if ((id === undefined) === (flags.all === undefined))
        throw new UsageError('name either a drill or --all 请指定一项演练或 --all 之一')
      return id === undefined ? stopAll(desk, flags.reason) : stop(desk, id, flags.reason)
    }),
  )
  withCommonOptions(
    command
      .command('release')
      .description('after stop --all: drills may begin again 解除总停')
      .addOption(reasonOption()),
  ).action((flags: StepFlags) => withGateway(flags, (desk) => release(desk, flags.reason)))
  withCommonOptions(command.command('lever').description('whether all are stopped 查看总停状态')).action(
    (flags: CommonFlags) => withGateway(flags, (desk) => showLever(desk)),
  )
}

const examples = `  chiyuan drill draft --file plan.yaml
  chiyuan drill draft --name dark --reason '季度演练' --home 610100 --level local --fault refuse --cohort 0.05 --for 60s
  chiyuan drill preview 7f3a…
  chiyuan drill approve 7f3a… --reason agreed --token-file approver.token   # another person, where it is wide 影响较大时须另一人
  chiyuan drill start 7f3a… --reason '季度演练' --watch
  chiyuan drill report 7f3a… --out report.html
  chiyuan drill run game-day.yaml --out reports/
  chiyuan drill stop --all --reason 'real incident'
  chiyuan drill release --reason calm

A plan 计划文件:
  name: Xi'an goes dark
  reason: quarterly drill
  scope: { homes: ['610100'], levels: [local] }    # whose residents, and at which nodes
  fault: { kind: refuse }   # trip blackhole refuse probe-fail registry-loss; latency {ms, jitterMs}; errors {share, status}; quota-cut {share}
  cohort: 0.1                                      # share of residents; the rest is the control 其余为对照组
  seconds: 60
  objectives: { detectMs: 2000, recoverMs: 20000, errorShare: 0.001 }
  stop: { errorShare: 0.02 }                       # ends it at once

A game day 演练日文件:
  name: Q4 game day
  reason: quarterly game day
  drills:
    - { name: one, scope: …, fault: …, cohort: 0.1, seconds: 30, pauseSeconds: 60 }
    - { name: two, …, override: true }             # begin although a guard objects`
