// Two drills beside each other as tables, in one language, for whichever form they are printed in.
import { markdownOf } from './drill-report-markdown.ts'
import type { Lang, Table, Tables, TimeText } from './drill-report-tables.ts'
import { differenceWords, effectWords, figureWords, judgementWords } from './drill-comparison-words.ts'
import { objectiveWords, verdictOfDrill } from './drill-words.ts'
import type { Words } from './words.ts'

/** Of one figure. */
interface MeasuredShown {
  readonly before: number | null
  readonly after: number | null
  readonly delta: number | null
  readonly tolerance: number | null
  readonly judgement: string
}

/** A comparison as far as it is shown. A name that this release does not know is shown as it is. */
export interface ComparisonShown {
  readonly before: RunShown
  readonly after: RunShown
  readonly isComparable: boolean
  readonly differences: readonly {
    readonly name: string
    readonly effect: string
    readonly before: string
    readonly after: string
  }[]
  readonly verdict: string
  readonly counts: Readonly<Record<string, number>>
  readonly figures: readonly (MeasuredShown & { readonly name: string })[]
  readonly levels: readonly (MeasuredShown & { readonly level: string })[]
  readonly donors: readonly (MeasuredShown & { readonly region: string })[]
  readonly objectives: readonly {
    readonly objective: string
    readonly boundBefore: number | null
    readonly boundAfter: number | null
    readonly measuredBefore: number | null
    readonly measuredAfter: number | null
    readonly metBefore: boolean | null
    readonly metAfter: boolean | null
    readonly judgement: string
  }[]
}

interface RunShown {
  readonly drill: string
  readonly name: string
  readonly startedAt: number
  readonly verdict: string
  readonly requests: number
}

export const comparisonMarkdown = (of: ComparisonShown, lang: Lang, timeText: TimeText): string =>
  markdownOf(comparisonTables(of, lang, timeText))

export function comparisonTables(of: ComparisonShown, lang: Lang, timeText: TimeText): Tables {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en)
  return {
    title: say('演练对比', 'Two drills compared'),
    verdict: summaryOf(of, lang, say),
    tables: [
      runs(of, lang, say, timeText),
      differences(of, lang, say),
      figures(of, lang, say),
      objectives(of, lang, say),
      levels(of, lang, say),
      donors(of, lang, say),
    ].filter(({ rows }) => rows.length > 0),
  }
}

type Say = (zh: string, en: string) => string

const named = (words: Readonly<Record<string, Words>>, name: string, lang: Lang): string =>
  words[name]?.[lang] ?? name

export const judgementText = (judgement: string, lang: Lang): string => named(judgementWords, judgement, lang)

function summaryOf({ isComparable, verdict, counts }: ComparisonShown, lang: Lang, say: Say): string {
  if (!isComparable)
    return say('两次演练不可比，仅列出数值', 'They can’t be compared; figures stand side by side')
  const count = (name: string): number => counts[name] ?? 0
  return say(
    `结论：${judgementText(verdict, lang)}；指标 ${count('better')} 项更好，${count('worse')} 项更差，${count('same')} 项相当，${count('unknown')} 项无从判断`,
    `Verdict: ${judgementText(verdict, lang)}; of the figures ${count('better')} better, ${count('worse')} worse, ${count('same')} same, ${count('unknown')} unknown`,
  )
}

function runs({ before, after }: ComparisonShown, lang: Lang, say: Say, timeText: TimeText): Table {
  const row = (name: string, read: (of: RunShown) => string): string[] => [name, read(before), read(after)]
  return {
    title: say('演练', 'Drills'),
    head: ['', say('之前', 'Before'), say('之后', 'After')],
    rows: [
      row(say('编号', 'Id'), ({ drill }) => drill),
      row(say('名称', 'Name'), ({ name }) => name),
      row(say('开始', 'Began'), ({ startedAt }) => timeText(startedAt)),
      row(say('结论', 'Verdict'), ({ verdict }) => named(verdictOfDrill, verdict, lang)),
      row(say('故障期间请求', 'Requests under the fault'), ({ requests }) => String(requests)),
    ],
  }
}

const differences = ({ differences: of }: ComparisonShown, lang: Lang, say: Say): Table => ({
  title: say('两次的不同', 'What was not alike'),
  head: ['', say('之前', 'Before'), say('之后', 'After'), say('影响', 'Effect')],
  rows: of.map(({ name, effect, before, after }) => [
    named(differenceWords, name, lang),
    before,
    after,
    named(effectWords, effect, lang),
  ]),
})

const measuredHead = (first: string, say: Say): string[] => [
  first,
  say('之前', 'Before'),
  say('之后', 'After'),
  say('差', 'Difference'),
  say('容差', 'Tolerance'),
  say('判断', 'Judgement'),
]

const measuredRow = (
  first: string,
  { before, after, delta, tolerance, judgement }: MeasuredShown,
  lang: Lang,
  show: (value: number) => string,
): string[] => [
  first,
  orDash(before, show),
  orDash(after, show),
  delta === null ? '–' : `${delta > 0 ? '+' : ''}${show(delta)}`,
  orDash(tolerance, (value) => `± ${show(value)}`),
  judgementText(judgement, lang),
]

/** What counts for each request, and may be above one. */
const efforts = new Set(['retries', 'hedges'])

const figures = ({ figures: of }: ComparisonShown, lang: Lang, say: Say): Table => ({
  title: say('指标', 'Figures'),
  head: measuredHead(say('指标', 'Figure'), say),
  rows: of.map((figure) => {
    const { name } = figure
    const show = name.endsWith('Ms') || efforts.has(name) ? number : percent
    return measuredRow(named(figureWords, name, lang), figure, lang, show)
  }),
})

const levels = ({ levels: of }: ComparisonShown, lang: Lang, say: Say): Table => ({
  title: say('由哪一级服务', 'Served by level'),
  head: measuredHead(say('级别', 'Level'), say),
  rows: of.map((one) => measuredRow(one.level, one, lang, percent)),
})

const donors = ({ donors: of }: ComparisonShown, lang: Lang, say: Say): Table => ({
  title: say('援助方最忙时占用', 'Use of donors at their busiest'),
  head: measuredHead(say('地区', 'Region'), say),
  rows: of.map((one) => measuredRow(one.region, one, lang, percent)),
})

const objectives = ({ objectives: of }: ComparisonShown, lang: Lang, say: Say): Table => {
  const met = (is: boolean | null): string => (is === null ? '–' : is ? say('是', 'yes') : say('否', 'no'))
  const pair = (a: number | null, b: number | null): string => `${orDash(a, number)} / ${orDash(b, number)}`
  return {
    title: say('目标', 'Objectives'),
    head: [
      say('目标', 'Objective'),
      say('上限 前/后', 'Bound before / after'),
      say('实测 前/后', 'Measured before / after'),
      say('达到 前/后', 'Met before / after'),
      say('判断', 'Judgement'),
    ],
    rows: of.map((one) => [
      named(objectiveWords, one.objective, lang),
      pair(one.boundBefore, one.boundAfter),
      pair(one.measuredBefore, one.measuredAfter),
      `${met(one.metBefore)} / ${met(one.metAfter)}`,
      judgementText(one.judgement, lang),
    ]),
  }
}

const orDash = (value: number | null, show: (value: number) => string): string =>
  value === null ? '–' : show(value)
const number = (value: number): string => String(Number(value.toFixed(Math.abs(value) < 10 ? 3 : 1)))
const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`
