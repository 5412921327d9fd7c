// A drill in words and tables.
import {
  endingWords,
  objectionWords,
  objectiveWords,
  verdictOfDrill,
  warningWords,
} from '../../../policy/drill-words.ts'
import { fields, oneLine, table } from '../../table.ts'
import type { Desk } from '../command.ts'
import type { Words } from '../language.ts'
import { left, localTime, span, toned } from '../output.ts'
import type { DrillAnswer, DrillForeseen } from './answers.ts'
import { scheduleText } from './schedule-text.ts'

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

/** As in its report; what is no pass is in capitals. */
export function verdictText(desk: Desk, verdict: string): string {
  const text = wordsOf(desk, verdictOfDrill, verdict)
  return verdict === 'passed' ? toned('good', text) : toned('bad', text.toUpperCase())
}

/** Why it ended, and what is known of that: `somebody ended it: Li`. */
export const endingText = (desk: Desk, ending: string | null, detail: string): string =>
  [ending === null ? '?' : wordsOf(desk, endingWords, ending), oneLine(detail)]
    .filter((part) => part !== '')
    .join(': ')

/** What a name of the gateway's means; the name where this release does not know it. */
export const wordsOf = (desk: Desk, words: Readonly<Record<string, Words>>, name: string): string => {
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
    bound === null ? [] : [`${wordsOf(desk, objectiveWords, name)} ≤ ${bound}`],
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
    [say('objectives', '目标'), objectives.join('; ') || say('none', '无')],
    [say('ends early at', '提前结束条件'), stopText(desk, drill)],
    ...(schedule === null ? [] : [[say('schedule', '排期'), scheduleText(desk, schedule)] as const]),
    ...(drill.nextAt === null ? [] : [[say('begins', '开始于'), localTime(drill.nextAt)] as const]),
    [say('owner', '负责人'), drill.owner],
    [say('approver', '批准人'), drill.approver ?? '-'],
    ...(run === null ? [] : runFields(desk, run)),
    [say('what may follow', '可执行'), nextSteps[drill.state] ?? say('nothing', '无')],
  ])
}

const stopText = (desk: Desk, { stop }: DrillAnswer): string =>
  [
    `${desk.say(objectiveWords.errorShare)} > ${stop.errorShare}`,
    ...(stop.addedP99Ms === null ? [] : [`${desk.say(objectiveWords.addedP99Ms)} > ${stop.addedP99Ms}`]),
  ].join('; ')

function runFields(
  desk: Desk,
  run: NonNullable<DrillAnswer['run']>,
): (readonly [name: string, value: string])[] {
  const say = (en: string, zh: string): string => desk.say({ en, zh })
  const ended =
    run.endedAt === null
      ? `${say('in', '剩余')} ${left(run.endsAt)}`
      : `${localTime(run.endedAt)} (${endingText(desk, run.ending, run.detail)})`
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
  const nodes = Object.entries(seen.radius.nodes).map(([home, ids]) => `${home}: ${ids.join(' ') || '-'}`)
  const share = seen.radius.trafficShare
  const lines = [
    `${say('nodes that its cohort meets the fault at', '注入故障的节点')}: ${nodes.join('; ')}`,
    `${say('share of all requests', '占全部请求')}: ${share === null ? say('no traffic', '当前无流量') : percent(share)}`,
    seen.needsApproval
      ? say('another person has to approve it', '须由另一人批准')
      : say('nobody else has to approve it', '无须他人批准'),
    ...seen.warnings.map((name) => `${say('warning', '警告')}: ${meaning(desk, name, seen.words)}`),
    ...seen.objections.map((objection) => objectionText(desk, objection, seen.words)),
    ...(seen.objections.length === 0 ? [say('no guard objects', '没有保护规则反对')] : []),
  ]
  return lines.map((line) => `${oneLine(line)}\n`).join('')
}

/** @param words What the gateway itself says of its names. */
export function objectionText(
  desk: Desk,
  { name, isHard, home, node, found, bound }: DrillForeseen['objections'][number],
  words: DrillForeseen['words'] = {},
): string {
  const where = [home, node].filter((part) => part !== null).join(' ')
  const how = isHard ? { en: 'REFUSED', zh: '不允许' } : { en: 'guard objects', zh: '保护规则反对' }
  const figures = [where, `${round(found)} / ${round(bound)}`].filter((part) => part !== '').join(', ')
  return `${desk.say(how)}: ${meaning(desk, name, words)} (${figures})`
}

function meaning(desk: Desk, name: string, words: DrillForeseen['words']): string {
  const told = words[name]
  const known =
    told === undefined ? wordsOf(desk, { ...objectionWords, ...warningWords }, name) : desk.say(told)
  return known === name ? name : `${name}: ${known}`
}

const round = (value: number): string => String(Number(value.toFixed(3)))
