// The plot of a drill's report: mean latency of cohort and control over time, errors as marks, the fault shaded.
import type { DrillReport, Point, SeriesPoint } from './drill-report.ts'
import type { Lang } from './drill-report-tables.ts'

const width = 800
const height = 260
const left = 60
const right = 20
const top = 30
const bottom = 40

/** An SVG element; empty where nothing was measured. */
export function latencyPlot({ series, timeline, run }: DrillReport, lang: Lang): string {
  if (series.length === 0) return ''
  const seconds = (series.at(-1)?.second ?? 0) + 1
  const highest = niceAbove(
    Math.max(1, ...series.flatMap(({ cohort, control }) => [cohort.meanMs ?? 0, control.meanMs ?? 0])),
  )
  const x = (second: number): number => left + (Math.min(second, seconds) / seconds) * (width - left - right)
  const y = (ms: number): number => height - bottom - (ms / highest) * (height - top - bottom)
  const words =
    lang === 'zh'
      ? {
          title: '平均时延（毫秒）',
          cohort: '参与组',
          control: '对照组',
          errors: '错误',
          fault: '故障',
          axis: '秒',
        }
      : {
          title: 'Mean latency, ms',
          cohort: 'cohort',
          control: 'control',
          errors: 'errors',
          fault: 'fault',
          axis: 's',
        }
  const secondOf = (at: number): number => Math.max(0, (at - run.startedAt) / 1000)
  const from = x(secondOf(timeline.faultOn ?? run.faultAt))
  const to = x(secondOf(timeline.faultOff ?? run.endedAt ?? run.endsAt))
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * highest)
    return `<line x1="${left}" x2="${width - right}" y1="${px(at)}" y2="${px(at)}" stroke="#ddd"/><text x="${left - 8}" y="${px(at + 4)}" text-anchor="end">${short(part * highest)}</text>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<text x="${px(x(part * seconds))}" y="${height - bottom + 18}" text-anchor="middle">${short(part * seconds)}</text>`,
  )
  const line = (read: (one: SeriesPoint) => Point, colour: string, dash: string): string =>
    `<path d="${pathOf(series, read, x, y)}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`
  const errors = series
    .filter(({ cohort }) => cohort.errors > 0)
    .map(({ second }) => `<circle cx="${px(x(second + 0.5))}" cy="${top}" r="3" fill="#b3261e"/>`)
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${words.title}">
<rect x="${px(from)}" y="${top}" width="${px(Math.max(0, to - from))}" height="${height - top - bottom}" fill="#f3e3c3"/>
<text x="${px(from + 4)}" y="${top + 14}">${words.fault}</text>
${grid.join('')}${ticks.join('')}
${line(({ control }) => control, '#1b5e9f', ' stroke-dasharray="6 4"')}
${line(({ cohort }) => cohort, '#b85c00', '')}
${errors.join('')}
<text x="${left}" y="16">${words.title}</text>
<text x="${width - right}" y="16" text-anchor="end"><tspan fill="#b85c00">— ${words.cohort}</tspan> <tspan fill="#1b5e9f">- - ${words.control}</tspan> <tspan fill="#b3261e">● ${words.errors}</tspan></text>
<text x="${width - right}" y="${height - 6}" text-anchor="end">${words.axis}</text>
</svg>`
}

/** Interrupted where no request ended. */
function pathOf(
  series: readonly SeriesPoint[],
  read: (one: SeriesPoint) => Point,
  x: (second: number) => number,
  y: (ms: number) => number,
): string {
  let isDown = false
  let path = ''
  for (const one of series) {
    const { meanMs } = read(one)
    if (meanMs === null) {
      isDown = false
      continue
    }
    path += `${isDown ? 'L' : 'M'}${px(x(one.second + 0.5))} ${px(y(meanMs))}`
    isDown = true
  }
  return path
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find((one) => one * power >= value) ?? 10
  return step * power
}

const px = (value: number): string => String(Math.round(value * 10) / 10)
const short = (value: number): string => String(Number(value.toPrecision(3)))
