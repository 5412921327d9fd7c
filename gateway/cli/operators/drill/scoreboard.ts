// `chiyuan drill scoreboard`: what each region has proven by drills, and what it never has.
import type { Command } from 'commander'
import { z } from 'zod'
import { faultWords, verdictOfDrill } from '../../../policy/drill-words.ts'
import { readinessWords } from '../../../policy/drill-scoreboard.ts'
import { levelWords } from '../../../policy/words.ts'
import { fields, table } from '../../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from '../command.ts'
import { inLanguage, type Words } from '../language.ts'
import { localTime, show, type Tone, toned } from '../output.ts'
import { allPages, withQuery } from '../pages.ts'

const words = z.object({ zh: z.string(), en: z.string() })
const tested = z.object({ drill: z.string(), at: z.string(), ageDays: z.number(), verdict: z.string() })
type Tested = z.output<typeof tested>
const scoreAnswer = z.object({
  region: z.string(),
  name: words,
  grade: z.string(),
  words,
  last: tested.nullable(),
  untested: z.array(z.string()),
  faults: z.array(
    z.object({
      fault: z.string(),
      grade: z.string(),
      last: tested.nullable(),
      lastPassed: tested.nullable(),
    }),
  ),
  levels: z.array(
    z.object({
      level: z.string(),
      region: z.string(),
      lastPassed: tested.nullable(),
      nodes: z.array(z.object({ node: z.string(), lastPassed: tested.nullable() })),
    }),
  ),
})
type Score = z.output<typeof scoreAnswer>

interface Flags extends CommonFlags {
  readonly region?: string
  readonly staleAfterDays?: string
}

export function scoreboardCommand(): Command {
  const examples = `  chiyuan drill scoreboard
  chiyuan drill scoreboard --region 610100      # each fault, level and node 各故障、级别与节点
  chiyuan drill scoreboard --json | jq -r '.items[] | select(.grade != "ready") | .region'`
  const command = operatorsCommand(
    'scoreboard',
    'what each region has proven by drills, and what it never has, worst first 演练成绩',
    examples,
  )
    .option('--region <code>', 'one region, in full 仅此地区，详列')
    .option('--stale-after-days <n>', 'a pass is good for so many days 达标有效天数 (default: 90)')
  return withCommonOptions(command).action((flags: Flags) =>
    withGateway(flags, async (desk) => {
      const query = { region: flags.region, staleAfterDays: flags.staleAfterDays }
      const answer = await allPages(desk.client, withQuery('/drill-scoreboard', query), scoreAnswer)
      const isOne = flags.region !== undefined
      show(desk, answer, () =>
        isOne ? answer.value.map((one) => inFull(desk, one)).join('\n') : board(desk, answer.value),
      )
    }),
  )
}

const tones: Readonly<Record<string, Tone>> = {
  failed: 'bad',
  never: 'careful',
  ageing: 'careful',
  ready: 'good',
}

const named = (desk: Desk, known: Readonly<Record<string, Words>>, name: string): string => {
  const its = known[name]
  return its === undefined ? name : desk.say(its)
}

const verdictText = (desk: Desk, { verdict }: Tested): string => named(desk, verdictOfDrill, verdict)
const ageText = (desk: Desk, { ageDays }: Tested): string =>
  desk.say({ en: `${ageDays} d ago`, zh: `${ageDays} 天前` })

function board(desk: Desk, scores: readonly Score[]): string {
  const heads = desk
    .say({
      en: 'Code|Name|Last drilled|Verdict|Faults|Never tested|Levels|Nodes|State',
      zh: '代码|名称|最近演练|结论|已验故障|从未验证|已验级别|已验节点|状态',
    })
    .split('|')
  const rows = scores.map((score) => [
    score.region,
    inLanguage(desk.language, score.name),
    score.last === null ? '-' : ageText(desk, score.last),
    score.last === null ? '-' : verdictText(desk, score.last),
    `${score.faults.length - score.untested.length}/${score.faults.length}`,
    inShort(desk, score),
    outOf(score.levels),
    outOf(score.levels.flatMap(({ nodes }) => nodes)),
    inLanguage(desk.language, score.words),
  ])
  return withTones(table(heads, rows), scores, (score) => inLanguage(desk.language, score.words))
}

const untestedText = (desk: Desk, { untested, faults }: Score): string =>
  untested.length === faults.length ? desk.say({ en: 'all', zh: '全部' }) : untested.join(' ') || '-'

/** A row of a board of many must fit on a screen; `--region` names them all. */
function inShort(desk: Desk, score: Score): string {
  const { untested, faults } = score
  const isLong = untested.length > shownAtMost && untested.length < faults.length
  return isLong
    ? `${untested.slice(0, shownAtMost).join(' ')} +${untested.length - shownAtMost}`
    : untestedText(desk, score)
}
const shownAtMost = 2

/** Those that a drill which passed has proven, of all. */
const outOf = (all: readonly { readonly lastPassed: Tested | null }[]): string =>
  `${all.filter(({ lastPassed }) => lastPassed !== null).length}/${all.length}`

/** Colour in the last column alone. */
function withTones<T extends { readonly grade: string }>(
  text: string,
  of: readonly T[],
  last: (one: T) => string,
): string {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const coloured = lines.map((line, i) => {
    const one = of[i]
    const words = one === undefined ? '' : last(one)
    return one !== undefined && line.endsWith(words)
      ? line.slice(0, line.length - words.length) + toned(tones[one.grade] ?? 'dim', words)
      : line
  })
  return `${[head, ...coloured].join('\n')}\n`
}

function inFull(desk: Desk, score: Score): string {
  const gradeOf = ({ grade }: { readonly grade: string }): string => named(desk, readinessWords, grade)
  const faultHeads = desk.say({
    en: 'Fault|Last drilled|Age|Verdict|Drill|State',
    zh: '故障|最近演练|距今|结论|演练|状态',
  })
  const faults = score.faults.map((one) => [
    `${one.fault} ${named(desk, faultWords, one.fault)}`,
    ...(one.last === null
      ? ['-', '-', '-', '-']
      : [localTime(one.last.at), ageText(desk, one.last), verdictText(desk, one.last), one.last.drill]),
    gradeOf(one),
  ])
  const levelHeads = desk.say({
    en: 'Level|Region|Node|Last passed|Age|Drill',
    zh: '级别|地区|节点|最近达标|距今|演练',
  })
  const levels = score.levels.flatMap(({ level, region, lastPassed, nodes }) => [
    [
      named(desk, levelWords, level),
      region,
      desk.say({ en: 'whole', zh: '整级' }),
      ...passedCells(desk, lastPassed),
    ],
    ...nodes.map(({ node, lastPassed: own }) => ['', '', node, ...passedCells(desk, own)]),
  ])
  return [
    fields([
      [desk.say({ en: 'code', zh: '代码' }), score.region],
      [desk.say({ en: 'name', zh: '名称' }), inLanguage(desk.language, score.name)],
      [desk.say({ en: 'state', zh: '状态' }), inLanguage(desk.language, score.words)],
      [desk.say({ en: 'never tested', zh: '从未验证' }), untestedText(desk, score)],
    ]),
    withTones(table(faultHeads.split('|'), faults), score.faults, gradeOf),
    table(levelHeads.split('|'), levels),
  ].join('\n')
}

const passedCells = (desk: Desk, passed: Tested | null): string[] =>
  passed === null
    ? [desk.say({ en: 'NEVER', zh: '从未' }), '-', '-']
    : [localTime(passed.at), ageText(desk, passed), passed.drill]
