// The fault scenarios of the report: one table to see it all, then one for each scenario.
import { lateNote } from './late.ts'
import type { FaultPart, FaultResult, Report, ScenarioResult } from './results.ts'
import { grouped, ms, percent, table } from './table.ts'

export const faultMethod = ({
  ratePerSecond,
  serviceMs,
  faultAtMs,
  recoverAtMs,
  endAtMs,
}: FaultPart): string =>
  `faults: open-loop load of ${ratePerSecond} requests/s for ${endAtMs / 1000} s after a warm-up, nodes answer in ${serviceMs} ms, fault from ${faultAtMs / 1000} s to ${recoverAtMs / 1000} s; latency counts from the intended send time, failed requests included; failed is all but a whole 200; as browsers do, the client sends a GET once more where its kept connection is cut without an answer; one run each, contender and nodes fresh`

export function faultTables(part: FaultPart, { contenders }: Report): string {
  const titleOf = (name: string): string => contenders.find((each) => each.name === name)?.title ?? name
  const names = part.scenarios[0]?.results.map(({ contender }) => contender) ?? []
  const overview = table(
    ['failed requests / worst request', ...names.map(titleOf)],
    part.scenarios.map(({ title, results }) => [
      title,
      ...results.map(({ failedShare, maxMs }) => `${shareOf(failedShare)} / ${ms(maxMs)} ms`),
    ]),
  )
  const details = part.scenarios.map(
    (scenario) => `### ${capital(scenario.title)}\n\n${detail(scenario, titleOf)}`,
  )
  const noise =
    part.noisyStarts === 0 ? '' : `${part.noisyStarts} runs began although other programs were busy.`
  const late = lateNote(
    part.scenarios.flatMap(({ scenario, results }) =>
      results.map((result) => ({ ...result, run: `${scenario}, ${titleOf(result.contender)}` })),
    ),
  )
  return [overview, noise, late, ...details].filter((text) => text !== '').join('\n\n')
}

const detail = ({ results }: ScenarioResult, titleOf: (name: string) => string): string =>
  table(
    [
      '',
      'failed',
      'p50',
      'p99',
      'worst',
      'p99 under the fault',
      'answered under the fault by local / neighbour / province',
      'requests at nodes per request',
    ],
    results.map((result) => [
      titleOf(result.contender),
      failedOf(result),
      `${ms(result.p50Ms)} ms`,
      `${ms(result.p99Ms)} ms`,
      worstOf(result),
      `${ms(result.phases.during.p99Ms)} ms`,
      answeredBy(result),
      result.nodeRequestsPerRequest?.toFixed(2) ?? '–',
    ]),
  )

const shareOf = (share: number): string => (share === 0 ? '0' : percent(share, share < 0.001 ? 3 : 2))

const failedOf = ({ failed, failedShare, failures, resent }: FaultResult): string => {
  const again = resent === 0 ? '' : `, ${grouped(resent)} sent again by the client`
  if (failed === 0) return `0${again}`
  const how = Object.entries(failures).map(([end, count]) => `${end}: ${grouped(count)}`)
  return `${shareOf(failedShare)} (${how.join(', ')})${again}`
}

const worstOf = ({ worst }: FaultResult): string =>
  worst === null ? '–' : `${ms(worst.latencyMs)} ms${worst.end === '200' ? '' : ` (${worst.end})`}`

const answeredBy = ({ phases }: FaultResult): string => {
  const { local, neighbour, province } = phases.during.answeredBy
  return [local, neighbour, province].map(grouped).join(' / ')
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
