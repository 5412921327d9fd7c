// The saturation part of the report: one table to see it all, what was missed, then one for each scenario.
import { totalOf } from '../capacity.ts'
import { binMs, goodWithinMs } from './crowd-samples.ts'
import { lateNote } from './late.ts'
import type { Report } from './results.ts'
import type { SaturatedScenario, SaturationPart, SaturationResult } from './saturation-results.ts'
import { missedTargets } from './saturation-targets.ts'
import { sparkline } from './sparkline.ts'
import { grouped, ms, percent, table } from './table.ts'

export const saturationMethod = ({ jitterShare, clientTimeoutMs }: SaturationPart): string =>
  `saturation: open-loop load of another resident each time; a node has a fixed number of slots, a request takes one for 40 ms ± ${percent(jitterShare)} and waits before in a queue without bound, also if its client left; answered well is a whole 200 within ${goodWithinMs / 1000} s of the intended send time, given up is what has no answer in ${clientTimeoutMs / 1000} s; only 'told each limit' knows what nodes can take; HAProxy and nginx leave a try after 2 s, Chiyuan after its default; one run each, contender and nodes fresh`

type TitleOf = (name: string) => string

export function saturationTables(part: SaturationPart, { contenders }: Report): string {
  const titleOf: TitleOf = (name) => contenders.find((each) => each.name === name)?.title ?? name
  const missed = missedTargets(part)
  const late = part.scenarios.flatMap(({ scenario, results }) =>
    results.map((result) => ({ ...result, run: `${scenario}, ${titleOf(result.contender)}` })),
  )
  return [
    overview(part, titleOf),
    ...(missed.length === 0 ? [] : [missed.map((line) => `- Missed: ${line}`).join('\n')]),
    lateNote(late),
    part.noisyStarts === 0 ? '' : `${part.noisyStarts} runs began although other programs were busy.`,
    ...part.scenarios.map((scenario) => `### ${capital(scenario.title)}\n\n${detail(scenario, titleOf)}`),
  ]
    .filter((text) => text !== '')
    .join('\n\n')
}

interface Row {
  readonly title: string
  readonly cell: (result: SaturationResult) => string
}

/** Most scenarios are one row; a crowd that is followed by a quiet time is two. */
function rowsOf({ scenario, title, after }: SaturatedScenario): readonly Row[] {
  const home: Row = {
    title: 'after that crowd: local nodes have their residents back after',
    cell: (result) => secondsOf(result.after?.homeMs ?? null),
  }
  if (scenario === 'classes')
    return [{ title: 'classes: critical / important / deferrable answered well', cell: classCell }]
  if (scenario === 'edge') {
    return [{ title, cell: (result) => `${percent(result.goodShare, 1)}, ${result.swings} swings` }]
  }
  if (scenario === 'refresh-storm') {
    return [{ title: `${title}: open at once`, cell: ({ openAtOnceMost }) => String(openAtOnceMost ?? '–') }]
  }
  const first: Row = { title: `${title}: answered well, of what was possible`, cell: goodCell }
  return after === null ? [first] : [first, home]
}

function overview({ scenarios }: SaturationPart, titleOf: TitleOf): string {
  const names = [...new Set(scenarios.flatMap(({ results }) => results.map(({ contender }) => contender)))]
  const rows = scenarios.flatMap((scenario) => rowsOf(scenario).map((row) => cellsOf(row, scenario, names)))
  return table(['', ...names.map(titleOf)], rows)
}

function cellsOf({ title, cell }: Row, { results }: SaturatedScenario, names: readonly string[]): string[] {
  const cells = names.map((name) => {
    const result = results.find(({ contender }) => contender === name)
    return result === undefined ? '–' : cell(result)
  })
  return [title, ...cells]
}

const goodCell = ({ goodShare, possibleShare }: SaturationResult): string =>
  `${percent(goodShare, 1)}, ${percent(goodShare / possibleShare)}`

const classCell = ({ goodByClass }: SaturationResult): string =>
  goodByClass === null
    ? '–'
    : `${[goodByClass.critical, goodByClass.important, goodByClass.deferrable].map((share) => (share * 100).toFixed(1)).join(' / ')} %`

const secondsOf = (time: number | null): string => (time === null ? 'never' : `${(time / 1000).toFixed(1)} s`)

function detail(scenario: SaturatedScenario, titleOf: TitleOf): string {
  const { results, capacity, crowd } = scenario
  const figures = table(
    [
      '',
      'answered well',
      'p50',
      'p99',
      'refused: p99',
      'other ends',
      'answered by local / neighbour / province',
      'requests at nodes per request',
      'longest time in a queue',
      'CPU per request',
      'limit learnt',
    ],
    results.map((result) => [
      titleOf(result.contender),
      percent(result.goodShare, 1),
      `${ms(result.p50Ms)} ms`,
      `${ms(result.p99Ms)} ms`,
      result.refused === 0 ? '–' : `${ms(result.refusedP99Ms)} ms`,
      endsOf(result),
      answeredBy(result),
      (result.loads.reduce((sum, { served }) => sum + served, 0) / sentIn(scenario)).toFixed(2),
      `${ms(Math.max(...result.loads.map(({ waitedMostMs }) => waitedMostMs)))} ms`,
      `${result.cpuUs} µs`,
      secondsOf(result.learntMs),
    ]),
  )
  const full = Math.min(1, totalOf(capacity) / crowd.ratePerSecond)
  const lines = results.map(({ contender, goodByBin, localByBin, after }) => {
    const local = after === null ? '' : `  then local ${sparkline(after.localByBin, 1)}`
    const well = scenario.scenario === 'edge' ? sparkline(localByBin, 1) : sparkline(goodByBin, full)
    return `${titleOf(contender).padEnd(24)}${well}${local}`
  })
  const what =
    scenario.scenario === 'edge'
      ? 'answered by local nodes, full height all'
      : 'answered well, full height all that is possible'
  return `${figures}\n\nEach ${binMs} ms, ${what}:\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``
}

const sentIn = ({ warmUp, crowd, after }: SaturatedScenario): number =>
  [warmUp, crowd, ...(after === null ? [] : [after])].reduce(
    (sum, { ratePerSecond, lengthMs }) => sum + (ratePerSecond * lengthMs) / 1000,
    0,
  )

const endsOf = ({ otherEnds, offered }: SaturationResult): string =>
  Object.entries(otherEnds)
    .toSorted(([, a], [, b]) => b - a)
    .map(([end, count]) => `${end}: ${percent(count / offered, 1)}`)
    .join(', ') || '–'

const answeredBy = ({ answeredBy: { local, neighbour, province } }: SaturationResult): string =>
  [local, neighbour, province].map(grouped).join(' / ')

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
