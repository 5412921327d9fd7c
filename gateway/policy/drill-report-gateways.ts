// Who measured a drill, as a table of its report: nobody is to take figures for whole that are not.
import type { DrillReport } from './drill-report.ts'
import type { Table, TimeText } from './drill-report-tables.ts'

export const gatewaysTable = (
  { gateways }: Pick<DrillReport, 'gateways'>,
  say: (zh: string, en: string) => string,
  timeText: TimeText,
): Table => ({
  title: say('参与的网关', 'Gateways'),
  head: [say('网关', 'Gateway'), say('开始', 'From'), say('结束', 'To'), say('缺失的时段', 'Missing')],
  rows: gateways.map(({ gateway, from, to, missing }) => [
    gateway,
    timeText(from),
    timeText(to),
    missing.map((span) => `${timeText(span.from)} – ${timeText(span.to)}`).join('; ') || '–',
  ]),
})
