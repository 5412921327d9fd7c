// The tables of a drill's report, in one language, for whichever form it is printed in.
import { drillEndings } from '../model/drill.ts'
import { drillObjections } from './drill-guards.ts'
import { moments } from './drill-measure.ts'
import type { GuardHeard } from './drill-report-guards.ts'
import { gatewaysTable } from './drill-report-gateways.ts'
import type { DrillReport, GroupSummary } from './drill-report.ts'
import {
  endingWords,
  eventWords,
  faultWords,
  foundByWords,
  guardPartWords,
  momentWords,
  objectionWords,
  objectiveWords,
  staysClosedWords,
  verdictOfDrill,
} from './drill-words.ts'
import { levelWords, type Words } from './words.ts'

export type Lang = keyof Words
/** Wall-clock milliseconds since 1970, for a person. */
export type TimeText = (wallMs: number) => string

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Tables {
  readonly title: string
  /** What it comes to, in a line. */
  readonly verdict: string
  readonly tables: readonly Table[]
}

export function tablesOf(report: DrillReport, lang: Lang, timeText: TimeText): Tables {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en)
  return {
    title: say(`演练报告：${report.name}`, `Drill report: ${report.name}`),
    verdict: `${verdictOfDrill[report.verdict][lang]}${endingOf(report, lang)}`,
    tables: [
      plan(report, lang, say),
      objectives(report, lang, say),
      timeline(report, lang, say, timeText),
      ownTrips(report, lang, say, timeText),
      guards(report, lang, say),
      groups(report, say),
      levels(report, lang, say),
      donors(report, say),
      gatewaysTable(report, say, timeText),
      events(report, lang, say),
      audit(report, say, timeText),
    ].filter(({ rows }) => rows.length > 0),
  }
}

type Say = (zh: string, en: string) => string

function endingOf({ run: { ending, detail } }: DrillReport, lang: Lang): string {
  if (ending === null) return ''
  const words = endingWords[ending][lang]
  return lang === 'zh'
    ? `（${words}${detail === '' ? '' : `：${detail}`}）`
    : ` (${words}${detail === '' ? '' : `: ${detail}`})`
}

const plan = (report: DrillReport, lang: Lang, say: Say): Table => ({
  title: say('计划', 'Plan'),
  head: ['', ''],
  rows: [
    [say('故障', 'Fault'), `${faultWords[report.fault.kind][lang]} ${numbersOf(report)}`.trim()],
    [say('属地', 'Homes'), report.scope.homes.join(', ')],
    [
      say('范围', 'Scope'),
      [
        ...report.scope.levels.map((level) => levelWords[level][lang]),
        ...report.scope.regions,
        ...report.scope.nodes,
      ].join(', ') || '–',
    ],
    [say('参与居民', 'Cohort'), percent(report.cohortShare)],
    [say('时长', 'Length'), `${report.seconds} s`],
    [say('发起人', 'Owner'), report.owner.name],
    [say('批准人', 'Approver'), report.approver?.name ?? '–'],
    [say('原因', 'Reason'), report.reason],
  ],
})

const guards = ({ guards: of }: DrillReport, lang: Lang, say: Say): Table => ({
  title: say('守则', 'Guards'),
  head: [say('守则', 'Guard'), say('结果', 'What it came to'), say('说明', 'Detail')],
  rows: of.map(({ guard, did, detail }) => [
    guardText(guard, did, lang),
    guardPartWords[did][lang],
    detail || '–',
  ]),
})

const guardText = (name: string, did: GuardHeard['did'], lang: Lang): string => {
  const words =
    did === 'overruled'
      ? drillObjections.flatMap((one) => (one === name ? [objectionWords[one]] : []))
      : drillEndings.flatMap((one) => (one === name ? [endingWords[one]] : []))
  return words[0]?.[lang] ?? name
}

const numbersOf = ({ fault }: DrillReport): string => {
  if (fault.kind === 'latency') return `${fault.ms} ± ${fault.jitterMs} ms`
  if (fault.kind === 'errors') return `${percent(fault.share)} ${fault.status}`
  return fault.kind === 'quota-cut' ? percent(fault.share) : ''
}

const objectives = ({ objectives: of, times }: DrillReport, lang: Lang, say: Say): Table => ({
  title: say('目标', 'Objectives'),
  head: [say('目标', 'Objective'), say('上限', 'Bound'), say('实测', 'Measured'), say('达到', 'Met')],
  rows: [
    ...of.map(({ objective, bound, measured, met }) => [
      objectiveWords[objective][lang],
      number(bound),
      number(measured),
      met ? say('是', 'yes') : say('否', 'no'),
    ]),
    // What nothing was promised of is told all the same.
    ...(['detectMs', 'shiftMs', 'recoverMs'] as const)
      .filter((one) => of.every(({ objective }) => objective !== one))
      .map((one) => [objectiveWords[one][lang], '–', number(times[one]), '–']),
  ],
})

const timeline = (
  { timeline: times, run }: DrillReport,
  lang: Lang,
  say: Say,
  timeText: TimeText,
): Table => ({
  title: say('时间线', 'Timeline'),
  head: [say('时刻', 'Moment'), say('时间', 'Time'), say('自故障注入（毫秒）', 'From the fault, ms')],
  rows:
    Object.keys(times).length === 0
      ? []
      : moments.map((moment) => {
          const at = times[moment]
          const name = momentWords[moment][lang]
          if (at === undefined) return [name, '–', '–']
          return [name, timeText(at), fromFault(at, { timeline: times, run })]
        }),
})

const ownTrips = (report: DrillReport, lang: Lang, say: Say, timeText: TimeText): Table => ({
  title: say('若无人为干预，何时会熔断', 'When it would have tripped by itself'),
  head: [
    say('节点', 'Node'),
    say('时间', 'Time'),
    say('自故障注入（毫秒）', 'From the fault, ms'),
    say('由谁发现，或为何不会', 'Found by, or why not'),
    say('答复', 'Answers'),
    say('失败', 'Failures'),
  ],
  rows: report.wouldHaveTripped.map(({ node, at, by, reason, answers, failures }) => [
    node,
    at === null ? '–' : timeText(at),
    at === null ? '–' : fromFault(at, report),
    by === null ? (reason === null ? '–' : staysClosedWords[reason][lang]) : foundByWords[by][lang],
    String(answers),
    String(failures),
  ]),
})

const groups = ({ cohort, control }: DrillReport, say: Say): Table => {
  const row = (name: string, read: (of: GroupSummary) => string): string[] => [
    name,
    read(cohort),
    read(control),
  ]
  return {
    title: say('参与组与对照组', 'Cohort and control'),
    head: ['', say('参与组', 'Cohort'), say('对照组', 'Control')],
    rows: [
      row(say('请求', 'Requests'), (of) => String(of.requests)),
      row(say('居民可见错误', 'Errors that residents saw'), (of) => String(of.errors)),
      row(say('故障期间请求', 'Requests under the fault'), (of) => String(of.underFault.requests)),
      row(say('故障期间错误占比', 'Share of errors under the fault'), (of) =>
        percent(of.underFault.errorShare),
      ),
      row(say('重试', 'Retries'), (of) => String(of.retries)),
      row(say('对冲', 'Hedges'), (of) => String(of.hedges)),
      row(say('最近可用答复', 'Last good answers'), (of) => String(of.lastGood)),
      row(say('拒绝', 'Shed'), (of) => String(of.shed)),
      row('p50 ms', (of) => number(of.underFault.p50Ms)),
      row('p95 ms', (of) => number(of.underFault.p95Ms)),
      row('p99 ms', (of) => number(of.underFault.p99Ms)),
    ],
  }
}

const levels = ({ cohort, control }: DrillReport, lang: Lang, say: Say): Table => {
  const names = new Set([...cohort.byLevel, ...control.byLevel].map(({ level }) => level))
  const of = (group: GroupSummary, name: string): string =>
    String(group.byLevel.find(({ level }) => level === name)?.requests ?? 0)
  return {
    title: say('由哪一级服务', 'Served by level'),
    head: [say('级别', 'Level'), say('参与组', 'Cohort'), say('对照组', 'Control')],
    rows: [...names].map((name) => [levelText(name, lang), of(cohort, name), of(control, name)]),
  }
}

/** @param level Such as `neighbour 610400`, or `none`. */
function levelText(level: string, lang: Lang): string {
  const [name = '', ...region] = level.split(' ')
  const words = Object.entries(levelWords).find(([known]) => known === name)?.[1]
  if (words === undefined) return level === 'none' && lang === 'zh' ? '无' : level
  return [words[lang], ...region].join(' ')
}

const donors = ({ donors: of }: DrillReport, say: Say): Table => ({
  title: say('援助方最忙时', 'Donors at their busiest'),
  head: [say('地区', 'Region'), say('请求/秒', 'Requests/s'), say('占用', 'Use')],
  rows: of.map(({ region, peakRps, peakUse }) => [
    region,
    number(peakRps),
    peakUse === null ? '–' : percent(peakUse),
  ]),
})

const events = (report: DrillReport, lang: Lang, say: Say): Table => ({
  title: say('事件', 'Events'),
  head: [say('自故障注入（毫秒）', 'From the fault, ms'), say('节点', 'Node'), say('变化', 'Change')],
  rows: report.events.map(({ at, node, what }) => [
    fromFault(at, report),
    node,
    (lang === 'zh' ? eventWords[what] : undefined) ?? what,
  ]),
})

const audit = ({ audit: of }: DrillReport, say: Say, timeText: TimeText): Table => ({
  title: say('审计记录', 'Audit records'),
  head: [
    say('序号', 'Number'),
    say('时间', 'Time'),
    say('操作', 'Action'),
    say('操作人', 'By'),
    say('结果', 'Outcome'),
  ],
  rows: of.map(({ seq, at, action, by, outcome }) => [
    String(seq),
    timeText(at),
    action,
    by ?? '–',
    {
      done: say('已执行', 'done'),
      refused: say('被拒绝', 'refused'),
      failed: say('失败', 'failed'),
    }[outcome],
  ]),
})

const fromFault = (
  at: number,
  { timeline: { faultOn }, run }: Pick<DrillReport, 'timeline' | 'run'>,
): string => String(Math.round(at - (faultOn ?? run.faultAt)))

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`
const number = (value: number | null): string => (value === null ? '–' : String(Number(value.toFixed(3))))
