// A drill's plan from the command line's own options, where a file would be too much.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { faultKinds } from './fault-kinds.ts'
import { UsageError } from '../../../model/errors.ts'
import { duration } from '../option-values.ts'

export interface DraftFlags {
  readonly file?: string
  readonly name?: string
  readonly reason?: string
  readonly home?: readonly string[]
  readonly level?: readonly string[]
  readonly region?: readonly string[]
  readonly node?: readonly string[]
  readonly fault?: Readonly<Record<string, string | number>>
  readonly cohort?: number
  readonly for?: number
}

export const withDraftOptions = (command: Command): Command =>
  command
    .option('--file <file>', 'the plan, in YAML or JSON; - for standard input 计划文件')
    .option('--name <text>', 'without a file: its name 不用文件时：名称')
    .option('--reason <text>', 'why 原因')
    .option('--home <code...>', 'home regions whose residents take part 参与居民的属地')
    .addOption(
      new Option('--level <level...>', 'levels whose nodes meet the fault 故障所在级别').choices([
        'local',
        'neighbour',
        'province',
        'nation',
      ]),
    )
    .option('--region <code...>', 'regions whose nodes meet the fault 故障所在地区')
    .option('--node <id...>', 'nodes that meet the fault 故障所在节点')
    .option('--fault <kind[:field=n,…]>', 'such as refuse or latency:ms=200,jitterMs=50 故障', fault)
    .option('--cohort <share>', 'share of residents, above 0 to 1 参与比例', share)
    .option('--for <time>', 'how long the fault lasts, such as 60s 故障时长', duration)

/** @throws {UsageError} naming what is missing, or what stands beside a file. */
export function planOfFlags(flags: DraftFlags): Readonly<Record<string, unknown>> {
  const { name, reason, home, level = [], region = [], node = [], fault: what, cohort } = flags
  const needed = { name, reason, home, fault: what, cohort, for: flags.for }
  const missing = Object.entries(needed).flatMap(([flag, value]) =>
    value === undefined ? [`--${flag}`] : [],
  )
  if (missing.length > 0) {
    throw new UsageError(
      `give the plan by --file, or these as well: ${missing.join(', ')} 请以 --file 指定计划，或补充上述选项`,
    )
  }
  const scope = { homes: home, levels: level, regions: region, nodes: node }
  return { name, reason, scope, fault: what, cohort, seconds: flags.for }
}

/** Whether the plan is in a file. @throws {UsageError} where both are given. */
export function hasFile(flags: DraftFlags): flags is DraftFlags & { file: string } {
  if (flags.file === undefined) return false
  const others = (
    ['name', 'reason', 'home', 'level', 'region', 'node', 'fault', 'cohort', 'for'] as const
  ).filter((flag) => flags[flag] !== undefined)
  if (others.length === 0) return true
  throw new UsageError(
    `--file holds the whole plan; write ${others.map((flag) => `--${flag}`).join(', ')} into it 计划以文件为准，请写入文件`,
  )
}

/** `errors:share=0.5,status=503` as the API takes it; the gateway judges its figures. */
export function fault(text: string): Record<string, string | number> {
  const [, kind = '', figures = ''] = /^([a-z-]+)(?::(.+))?$/.exec(text) ?? []
  if (!faultKinds.some((known) => known === kind)) {
    throw new InvalidArgumentError(`It must begin with one of ${faultKinds.join(', ')}.`)
  }
  const fields = figures === '' ? [] : figures.split(',')
  return { kind, ...Object.fromEntries(fields.map(figureOf)) }
}

function figureOf(text: string): [string, number] {
  const [, name = '', value = ''] = /^([A-Za-z]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (name === '') throw new InvalidArgumentError('After the colon come fields such as ms=200,jitterMs=50.')
  return [name, Number(value)]
}

function share(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be above 0 and at most 1, such as 0.05.')
}
