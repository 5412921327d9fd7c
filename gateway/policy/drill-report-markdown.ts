// A drill's report as Markdown.
import type { DrillReport } from './drill-report.ts'
import { type Lang, type Table, tablesOf, type TimeText } from './drill-report-tables.ts'

export function markdownReport(report: DrillReport, lang: Lang, timeText: TimeText): string {
  const { title, verdict, tables } = tablesOf(report, lang, timeText)
  return [`# ${text(title)}`, `**${text(verdict)}**`, ...tables.map(tableText)].join('\n\n') + '\n'
}

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
  written.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]<>#|~]/g, (mark) => `\\${mark}`)
