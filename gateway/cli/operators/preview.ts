// `chiyuan preview`: what a set of changes would do, without any of them.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type HoldKind, holdKinds } from '../../model/hold.ts'
import { isRegionId } from '../../model/ids.ts'
import { modes } from '../../model/mode.ts'
import { type CommonFlags, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { exitCodes } from './failure.ts'
import { type ChangeAsked, preview, previewText } from './foresight.ts'
import { show } from './output.ts'

interface Flags extends CommonFlags {
  readonly hold?: readonly ChangeAsked[]
  readonly enrolment?: readonly ChangeAsked[]
  readonly endHold?: readonly string[]
  readonly removeNode?: readonly string[]
  readonly mode?: string
}

export function previewCommand(): Command {
  const command = operatorsCommand(
    'preview',
    'what changes would do to the traffic of this moment; nothing is changed 预估变更影响',
    examples,
  )
    .option('--hold <kind:what>', 'a hold on a node or region, repeatable 节点或地区处置', oneMoreHold)
    .option(
      '--enrolment <id:step>',
      'activate, suspend, resume or withdraw, repeatable 入网变更',
      oneMoreStep,
    )
    .option('--end-hold <id...>', 'the end of a hold 解除处置')
    .option('--remove-node <id...>', 'a node that is no longer there 移除节点')
    .addOption(new Option('--mode <mode>', 'another mode 切换模式').choices([...modes]))
  return withCommonOptions(command).action((flags: Flags) =>
    withGateway(flags, async (desk) => {
      const changes: ChangeAsked[] = [
        ...(flags.hold ?? []),
        ...(flags.enrolment ?? []),
        ...(flags.endHold ?? []).map((endHold) => ({ endHold })),
        ...(flags.removeNode ?? []).map((removeNode) => ({ removeNode })),
        ...(flags.mode === undefined ? [] : [{ mode: flags.mode }]),
      ]
      const answer = await preview(desk, changes)
      show(desk, answer, () => previewText(desk, answer.value))
      if (answer.value.guards.some(({ severity }) => severity === 'object'))
        process.exitCode = exitCodes.refused
    }),
  )
}

const examples = `  chiyuan preview --hold trip:610100          # a region by its code 按地区代码
  chiyuan preview --hold drain:xian-1 --hold drain:xian-2 --mode emergency
  chiyuan preview                              # what the forecast makes of now 当前预估
  It ends with ${exitCodes.refused} where a guard objects. 保护规则反对时退出码为 ${exitCodes.refused}。`

const oneMoreHold = (text: string, before: readonly ChangeAsked[] = []): readonly ChangeAsked[] => [
  ...before,
  holdOf(text),
]

function holdOf(text: string): ChangeAsked {
  const [, kind = '', what = ''] = /^([a-z]+):(.+)$/.exec(text) ?? []
  if (isHoldKind(kind)) return { hold: { kind, scope: isRegionId(what) ? { region: what } : { node: what } } }
  throw new InvalidArgumentError(
    `It must be one of ${holdKinds.join(', ')}, a colon, and a node or region, such as trip:xian-1.`,
  )
}

const oneMoreStep = (text: string, before: readonly ChangeAsked[] = []): readonly ChangeAsked[] => {
  const [, enrolment = '', step = ''] = /^([^:]+):(activate|suspend|resume|withdraw)$/.exec(text) ?? []
  if (step !== '') return [...before, { enrolment, step }]
  throw new InvalidArgumentError(
    'It must be an enrolment, a colon, and activate, suspend, resume or withdraw.',
  )
}

const isHoldKind = (text: string): text is HoldKind => holdKinds.some((kind) => kind === text)
