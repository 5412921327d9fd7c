// /drills/{id}/report: what came of a drill, as JSON, Markdown or one HTML file.
import { z } from 'zod'
import { drillReportPrefix } from '../../control/drills/records.ts'
import { drillReportSchema } from '../../control/drills/report-record.ts'
import { readTyped } from '../../control/registry/typed.ts'
import { htmlReport } from '../../policy/drill-report-html.ts'
import { markdownReport } from '../../policy/drill-report-markdown.ts'
import { noBody, operation } from '../operation.ts'
import { type Plane, timeText } from '../plane.ts'
import { Problem } from '../problem.ts'
import { drillOf, oneDrill } from './drill-steps.ts'

const reportQuery = z.strictObject({
  format: z
    .enum(['json', 'markdown', 'html'])
    .default('json')
    .describe('`markdown` and `html` are for people: the latter one file that needs nothing else.'),
  lang: z.enum(['zh', 'en']).default('zh').describe('Language of what a person reads.'),
})

export const reporting = (plane: Plane) =>
  operation({
    summary: 'The report of a drill that is over',
    description: 'Times are wall-clock milliseconds since 1970; shares go from 0 to 1.',
    permission: 'read',
    params: oneDrill,
    query: reportQuery,
    body: noBody,
    answer: { status: 200, schema: drillReportSchema, texts: ['text/markdown', 'text/html'] },
    handle: async ({ params, query }) => {
      const { value: drill } = await drillOf(plane, params.id)
      const report = await readTyped(plane.registry, drillReportPrefix + drill.id, drillReportSchema)
      if (report === null) {
        throw new Problem(
          'not-found',
          `it is "${drill.state}" and has no report; one is written when it is over`,
        )
      }
      if (query.format === 'json') return { body: report.value }
      const isHtml = query.format === 'html'
      const text = (isHtml ? htmlReport : markdownReport)(report.value, query.lang, timeText)
      const type = isHtml ? 'text/html; charset=utf-8' : 'text/markdown; charset=utf-8'
      return {
        write: (response) => {
          response.status(200).set({ 'Content-Type': type, 'Cache-Control': 'no-store' }).send(text)
        },
      }
    },
  })
