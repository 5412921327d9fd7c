// `chiyuan mode`: 平战, which profile is in force.
import { Argument, type Command } from 'commander'
import { modes } from '../../model/mode.ts'
import { fields, oneLine } from '../table.ts'
import { type ModeAnswer, modeAnswer } from './answers.ts'
import { change } from './change.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { mustAgree } from './consent.ts'
import { foreseen } from './foresight.ts'
import { reasonOption, yesOption } from './option-values.ts'
import { localTime, show } from './output.ts'

const byFile = 'file'

export function modeCommand(): Command {
  const command = operatorsCommand('mode', 'peacetime or emergency 平时或战时模式', examples)
  withCommonOptions(command.command('show').description('the mode in force 查看当前模式')).action(
    (flags: CommonFlags) =>
      withGateway(flags, async (desk) => {
        const answer = await desk.client.get('/mode', modeAnswer)
        show(desk, answer, () => inFull(desk, answer.value))
      }),
  )
  withCommonOptions(
    command
      .command('set')
      .description('set the mode for all regions 设置全部地区的模式')
      .addArgument(
        new Argument('<mode>', `${byFile}: what the configuration file says 以配置文件为准`).choices([
          ...modes,
          byFile,
        ]),
      )
      .addOption(reasonOption())
      .addOption(yesOption()),
  ).action((mode: string, flags: SetFlags) => withGateway(flags, (desk) => set(desk, mode, flags)))
  return command
}

interface SetFlags extends CommonFlags {
  readonly reason: string
  readonly yes?: true
}

const examples = `  chiyuan mode show
  chiyuan mode set emergency --reason '西安机房断电'
  chiyuan mode set file --reason 'all is well again' --yes`

async function set(desk: Desk, mode: string, { reason, yes }: SetFlags): Promise<void> {
  const { value, version } = await desk.client.get('/mode', modeAnswer)
  const text = {
    en: `mode, for all regions: ${value.mode} now, then ${mode === byFile ? `what the file says (${value.file})` : mode}. Reason: ${oneLine(reason)}`,
    zh: `全部地区的模式：当前 ${value.mode}，改为 ${mode === byFile ? `配置文件所定（${value.file}）` : mode}。原因：${oneLine(reason)}`,
  }
  const next = mode === byFile ? null : mode
  const effect = await foreseen(desk, [{ mode: next }])
  await mustAgree(desk, yes === true, `${desk.say(text)}\n${effect}`)
  const body = { mode: next, reason }
  const answer = await change(
    desk,
    { method: 'PUT', path: '/mode', body, version, target: 'mode' },
    modeAnswer,
  )
  show(desk, answer, () => inFull(desk, answer.value))
}

function inFull(desk: Desk, { mode, setBy, file, owner, reason, since }: ModeAnswer): string {
  const by =
    setBy === byFile ? { en: 'the configuration file', zh: '配置文件' } : { en: 'operators', zh: '运维人员' }
  return fields([
    [desk.say({ en: 'mode', zh: '模式' }), mode],
    [desk.say({ en: 'set by', zh: '来源' }), desk.say(by)],
    [desk.say({ en: 'file says', zh: '配置文件' }), file],
    ...(since === null
      ? []
      : ([
          [desk.say({ en: 'decided by', zh: '决定人' }), owner ?? ''],
          [desk.say({ en: 'reason', zh: '原因' }), reason ?? ''],
          [desk.say({ en: 'since', zh: '时间' }), localTime(since)],
        ] as const)),
  ])
}
