// A drill's report, and whatever else comes as tables, as Markdown.
import type { DrillReport } from './drill-report.ts'
import { type Lang, type Table, type Tables, tablesOf, type TimeText } from './drill-report-tables.ts'

export const markdownReport = (report: DrillReport, lang: Lang, timeText: TimeText): string =>
  markdownOf(tablesOf(report, lang, timeText))

export const markdownOf = ({ title, verdict, tables }: Tables): string =>
  [`# ${text(title)}`, `**${text(verdict)}**`, ...tables.map(tableText)].join('\n\n') + '\n'

const tableText = ({ title, head, rows }: Table): string =>
  [
    `## ${text(title)}`,
    '',
    line(head),
    `|${head.map(() => ' --- |').join('')}`,
    ...rows.map((row) => line(row)),
  ].join('\n')

const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`

/** What somebody wrote stays words: no cell, line or markup of its own. */
const text = (written: string): string =>
  written.replace(/[\r\n\u2028\u2029]+/g, ' ').replace(/[\\`*_{}[\]<>#|~&]/g, (mark) => `\\${mark}`)
