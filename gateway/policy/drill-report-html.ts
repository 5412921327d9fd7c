// A drill's report as one HTML file that needs nothing else.
import { latencyPlot } from './drill-report-plot.ts'
import type { DrillReport } from './drill-report.ts'
import { type Lang, type Table, tablesOf, type TimeText } from './drill-report-tables.ts'

export function htmlReport(report: DrillReport, lang: Lang, timeText: TimeText): string {
  const { title, verdict, tables } = tablesOf(report, lang, timeText)
  const plot = latencyPlot(report, lang)
  return `<!doctype html>
<html lang="${lang === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p class="verdict ${report.verdict}">${escaped(verdict)}</p>
${plot === '' ? '' : `<div class="wide">${plot}</div>`}
${tables.map(tableText).join('\n')}
</body>
</html>
`
}

const tableText = ({ title, head, rows }: Table): string => {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  const isNamed = head.some((name) => name !== '')
  return `<h2>${escaped(title)}</h2>
<div class="wide"><table>${isNamed ? `<thead>${cells('th', head)}</thead>` : ''}<tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`
}

export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1, td { overflow-wrap: break-word }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
.verdict { font-weight: 700; padding: .5rem 1rem; border-left: .5rem solid #8a6d00; background: #fdf6dd }
.verdict.passed { border-color: #1b7f3b; background: #e8f6ec }
.verdict.failed { border-color: #b3261e; background: #fbe9e7 }
svg { display: block; width: 100%; min-width: 40rem; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: #444 }
@media screen and (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #16181b }
  th, td { border-color: #3a3d42 }
  .verdict { background: #332b0d }
  .verdict.passed { background: #12301b }
  .verdict.failed { background: #3b1613 }
  svg { background: #fff; border-radius: .3rem }
}
@media print {
  body { max-width: none; margin: 0; font-size: 11pt }
  .wide { overflow: visible }
  svg { min-width: 0 }
  h2 { break-after: avoid }
  tr, svg, .verdict { break-inside: avoid }
  .verdict, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
`
