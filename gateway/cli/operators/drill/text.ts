// A drill in words and tables.
import { fields, oneLine, table } from '../../table.ts'
import type { Desk } from '../command.ts'
import type { Words } from '../language.ts'
import { left, localTime, span, toned } from '../output.ts'
import type { DrillAnswer, DrillForeseen } from './answers.ts'

const states: Readonly<Record<string, Words>> = {
  draft: { en: 'draft', zh: '草稿' },
  previewed: { en: 'previewed', zh: '已预演' },
  approved: { en: 'approved', zh: '已批准' },
  scheduled: { en: 'scheduled', zh: '已排期' },
  running: { en: 'RUNNING', zh: '进行中' },
  restoring: { en: 'restoring', zh: '恢复中' },
  reported: { en: 'reported', zh: '已出报告' },
  refused: { en: 'refused', zh: '已驳回' },
  aborted: { en: 'aborted', zh: '已中止' },
}

const verdictWords: Readonly<Record<string, Words>> = {
  passed: { en: 'passed', zh: '通过' },
  failed: { en: 'FAILED', zh: '未通过' },
  'ended-early': { en: 'ENDED EARLY', zh: '提前结束' },
  interrupted: { en: 'INTERRUPTED', zh: '中断' },
  'no-traffic': { en: 'NO TRAFFIC', zh: '无流量' },
}

/** What may follow, as commands. */
const nextSteps: Readonly<Record<string, string>> = {
  draft: 'preview, stop',
  previewed: 'approve, refuse, schedule, start, stop',
  approved: 'schedule, start, refuse, stop',
  scheduled: 'start, refuse, stop',
  running: 'watch, stop',
  restoring: 'watch',
  reported: 'report',
  aborted: 'report',
}

export const stateText = (desk: Desk, state: string): string => {
  const text = wordsOf(desk, states, state)
  return state === 'running' ? toned('careful', text) : text
}

export function verdictText(desk: Desk, verdict: string): string {
  return toned(verdict === 'passed' ? 'good' : 'bad', wordsOf(desk, verdictWords, verdict))
}

const wordsOf = (desk: Desk, words: Readonly<Record<string, Words>>, name: string): string => {
  const found = words[name]
  return found === undefined ? oneLine(name) : desk.say(found)
}

/** `latency ms=120 jitterMs=20`. */
export const faultText = ({ fault: { kind, ...rest } }: Pick<DrillAnswer, 'fault'>): string =>
  [kind, ...Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)].join(' ')

export const scopeText = ({ scope: { regions, nodes, levels } }: Pick<DrillAnswer, 'scope'>): string =>
  [...levels, ...regions, ...nodes].join(' ') || '-'

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`

export function drillsTable(desk: Desk, drills: readonly DrillAnswer[]): string {
  const heads = desk
    .say({ en: 'ID|State|Homes|Fault|At|Share|For|Name', zh: '编号|状态|本地|故障|位置|比例|时长|名称' })
    .split('|')
  const rows = drills.map((drill) => [
    drill.id,
    stateText(desk, drill.state),
    drill.scope.homes.join(' '),
    faultText(drill),
    scopeText(drill),
    percent(drill.cohort),
    span(drill.seconds),
    drill.name,
  ])
  return table(heads, rows)
}

export function drillInFull(desk: Desk, drill: DrillAnswer): string {
  const { run, schedule } = drill
  const say = (en: string, zh: string): string => desk.say({ en, zh })
  const objectives = Object.entries(drill.objectives).flatMap(([name, bound]) =>
    bound === null ? [] : [`${name} ≤ ${bound}`],
  )
  return fields([
    [say('id', '编号'), drill.id],
    [say('name', '名称'), drill.name],
    [say('reason', '原因'), drill.reason],
    [say('state', '状态'), wordsOf(desk, states, drill.state)],
    [say('homes', '本地'), drill.scope.homes.join(' ')],
    [say('fault', '故障'), faultText(drill)],
    [say('at', '位置'), scopeText(drill)],
    [say('share of residents', '居民比例'), percent(drill.cohort)],
    [say('for', '时长'), span(drill.seconds)],
    [say('objectives', '目标'), objectives.join(', ') || say('none', '无')],
    [say('ends early at', '提前结束条件'), stopText(drill)],
    ...(schedule === null ? [] : [[say('schedule', '排期'), JSON.stringify(schedule)] as const]),
    ...(drill.nextAt === null ? [] : [[say('begins', '开始于'), localTime(drill.nextAt)] as const]),
    [say('owner', '负责人'), drill.owner],
    [say('approver', '批准人'), drill.approver ?? '-'],
    ...(run === null ? [] : runFields(desk, run)),
    [say('what may follow', '可执行'), nextSteps[drill.state] ?? say('nothing', '无')],
  ])
}

const stopText = ({ stop }: DrillAnswer): string =>
  [
    `errorShare > ${stop.errorShare}`,
    ...(stop.addedP99Ms === null ? [] : [`addedP99Ms > ${stop.addedP99Ms}`]),
  ].join(', ')

function runFields(
  desk: Desk,
  run: NonNullable<DrillAnswer['run']>,
): (readonly [name: string, value: string])[] {
  const say = (en: string, zh: string): string => desk.say({ en, zh })
  const ended =
    run.endedAt === null
      ? `${say('in', '剩余')} ${left(run.endsAt)}`
      : `${localTime(run.endedAt)} (${run.ending ?? '?'}${run.detail === '' ? '' : `: ${run.detail}`})`
  return [
    [say('began', '开始'), localTime(run.startedAt)],
    [say('fault on', '故障注入'), localTime(run.faultAt)],
    [run.endedAt === null ? say('ends', '结束') : say('ended', '已结束'), ended],
    ...(run.overruled.length === 0
      ? []
      : [[say('overruled', '强制越过的保护'), run.overruled.join(', ')] as const]),
  ]
}

/** Who it reaches, and what speaks against beginning now. */
export function foreseenText(desk: Desk, seen: DrillForeseen): string {
  const say = (en: string, zh: string): string => desk.say({ en, zh })
  const meaning = (name: string): string => {
    const words = seen.words[name]
    return words === undefined ? name : `${name}: ${desk.say(words)}`
  }
  const nodes = Object.entries(seen.radius.nodes).map(([home, ids]) => `${home}: ${ids.join(' ') || '-'}`)
  const share = seen.radius.trafficShare
  const lines = [
    `${say('nodes that its cohort meets the fault at', '注入故障的节点')}: ${nodes.join('; ')}`,
    `${say('share of all requests', '占全部请求')}: ${share === null ? say('no traffic', '当前无流量') : percent(share)}`,
    seen.needsApproval
      ? say('another person has to approve it', '须由另一人批准')
      : say('nobody else has to approve it', '无须他人批准'),
    ...seen.warnings.map((name) => `${say('warning', '警告')}: ${meaning(name)}`),
    ...seen.objections.map(({ name, isHard, home, node, found, bound }) => {
      const where = [home, node].filter((part) => part !== null).join(' ')
      const how = isHard ? say('REFUSED', '不允许') : say('guard objects', '保护规则反对')
      return `${how}: ${meaning(name)} (${[where, `${round(found)} / ${round(bound)}`].filter((part) => part !== '').join(', ')})`
    }),
    ...(seen.objections.length === 0 ? [say('no guard objects', '没有保护规则反对')] : []),
  ]
  return lines.map((line) => `${oneLine(line)}\n`).join('')
}

const round = (value: number): string => String(Number(value.toFixed(3)))
