// /drill-comparison and /drill-scoreboard: what has become better or worse, and what is proven where.
import { drillReportPrefix } from '../../control/drills/records.ts'
import { drillReportSchema } from '../../control/drills/report-record.ts'
import { drillResults } from '../../control/drills/results.ts'
import { readTyped } from '../../control/registry/typed.ts'
import { comparisonOf } from '../../policy/drill-comparison.ts'
import { comparisonMarkdown } from '../../policy/drill-comparison-tables.ts'
import type { DrillReport } from '../../policy/drill-report.ts'
import { rankOf, scoreboardOf } from '../../policy/drill-scoreboard.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import { page, pageOf } from '../paging.ts'
import { type Plane, timeText } from '../plane.ts'
import { Problem } from '../problem.ts'
import {
  comparisonAnswer,
  comparisonQuery,
  scoreAnswer,
  scoreboardQuery,
  toScoreAnswer,
} from '../schemas/drill-insight.ts'
import { drillOf } from './drill-steps.ts'

export const drillInsightRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/drill-comparison', methods: { get: comparing(plane) } },
  { path: '/drill-scoreboard', methods: { get: scoring(plane) } },
]

const markdown = 'text/markdown'

const comparing = (plane: Plane) =>
  operation({
    summary: 'The reports of two drills beside each other: what is better, what is worse, what is noise',
    description:
      'Drills with another fault, other homes or another scope can’t be compared: their figures are shown, and none is ' +
      'judged. A time is the same within 200 ms, a quantile within 9 % (the step of its histogram), a share or rate within ' +
      'twice the standard error of the difference.',
    permission: 'read',
    params: none,
    query: comparisonQuery,
    body: noBody,
    answer: { status: 200, schema: comparisonAnswer, texts: [markdown] },
    problems: ['not-found', 'conflict'],
    handle: async ({ query }) => {
      const before = await reportFor(plane, query.before)
      const comparison = comparisonOf(before, await reportFor(plane, query.after))
      if (query.format === 'json') return { body: comparison }
      const text = comparisonMarkdown(comparison, query.lang, timeText)
      return {
        write: (response) => {
          response.set({ 'Content-Type': `${markdown}; charset=utf-8` }).send(text)
        },
      }
    },
  })

/** @throws {Problem} `not-found`, `conflict` */
async function reportFor(plane: Plane, id: string): Promise<DrillReport> {
  const { value: drill } = await drillOf(plane, id)
  const report = await readTyped(plane.registry, drillReportPrefix + drill.id, drillReportSchema)
  if (report !== null) return report.value
  throw new Problem(
    'conflict',
    `drill ${drill.id} is "${drill.state}" and has no report; compare drills that have run and are over`,
  )
}

const scoring = (plane: Plane) =>
  operation({
    summary: 'What each home region has proven by drills, and what it never has, worst first',
    description:
      'In each region every fault has a grade: `failed`, `never`, `ageing` or `ready`. What a drill shows counts: one that ' +
      'somebody ended, or that met no request, shows nothing. Pages go on by rank; a region whose grade changes meanwhile ' +
      'may stand in two, or in none.',
    work: 20,
    permission: 'read',
    params: none,
    query: scoreboardQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(scoreAnswer) },
    problems: ['not-found'],
    handle: async ({ query }) => {
      const { homes } = plane.snapshot()
      const wanted = [...homes.values()].filter(
        ({ region }) => query.region === undefined || region.code === query.region,
      )
      if (query.region !== undefined && wanted.length === 0) {
        const detail = `there is no region ${query.region} whose residents come here; list /regions`
        throw new Problem('not-found', detail)
      }
      const results = await drillResults(plane.registry)
      const scores = scoreboardOf(wanted, results, plane.wallNow(), query.staleAfterDays)
      const shown = page(scores, query, rankOf)
      return { body: { ...shown, items: shown.items.map(toScoreAnswer) } }
    },
  })
