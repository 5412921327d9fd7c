// The CPU part of the report.
import type { CpuPart, CpuResult, Report } from './results.ts'
import { grouped, percent, table } from './table.ts'

export const cpuMethod = ({
  rounds,
  seconds,
  warmUpSeconds,
  connections,
  client,
  upstream,
}: CpuPart): string =>
  `CPU: ${rounds} interleaved rounds of ${seconds} s after ${warmUpSeconds} s of warm-up each, ${connections} keep-alive connections (${client === 'wrk' ? 'wrk' : 'own Node client'}), 500 residents, answers of 363 bytes (nodes: ${upstream}); user and system time of the contender's processes from /proc over answers received; medians, ratios round by round`

export function cpuTable({ results, noisyStarts }: CpuPart, { contenders }: Report): string {
  const titleOf = (name: string): string => contenders.find((each) => each.name === name)?.title ?? name
  const rows = results.map((result) => [
    titleOf(result.contender),
    `${result.cpuUs} µs`,
    `${result.cpuUsLeast}–${result.cpuUsMost}`,
    result.toOurs === null ? '–' : `${result.toOurs.toFixed(2)} ×`,
    grouped(result.perSecond),
    percent(result.coreShare),
    grouped(result.errors),
  ])
  const head = ['', 'CPU per request', 'range', 'to Chiyuan', 'requests/s', 'core used', 'errors']
  return [table(head, rows), note(results, noisyStarts)].filter((part) => part !== '').join('\n\n')
}

/** A round counts as disturbed where others took so much of the contender's core. */
const disturbedShare = 0.1

function note(results: readonly CpuResult[], noisyStarts: number): string {
  const rounds = results.flatMap((result) => result.rounds)
  const disturbed = rounds.filter(({ othersShare }) => (othersShare ?? 0) > disturbedShare).length
  const notes = [
    results.some(({ coreShare }) => coreShare < 0.9)
      ? 'Where the core used is well below 100 %, the load or the nodes were the limit of requests/s, not the contender.'
      : '',
    disturbed > 0
      ? `In ${disturbed} of ${rounds.length} rounds other programs took over ${percent(disturbedShare)} of the contender's core.`
      : '',
    noisyStarts > 0 ? `${noisyStarts} rounds began although other programs were busy.` : '',
  ]
  return notes.filter((part) => part !== '').join(' ')
}
