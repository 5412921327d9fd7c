// `chiyuan drill watch`: how a drill goes, as it goes; to look away from it does not end it.
import { setTimeout as wait } from 'node:timers/promises'
import { oneLine } from '../../table.ts'
import type { Desk } from '../command.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import type { Words } from '../language.ts'
import { localTime } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import {
  drillAnswer,
  type DrillProgress,
  drillProgress,
  drillVerdict,
  pathOf,
  type DrillVerdict,
} from './answers.ts'
import { verdictText } from './text.ts'

const lookEveryMs = 500

const phases: Readonly<Record<string, Words>> = {
  waiting: { en: 'has not begun', zh: '尚未开始' },
  prelude: { en: 'measured, without a fault yet', zh: '先行测量，尚未注入故障' },
  fault: { en: 'fault ON', zh: '故障已注入' },
  restoring: { en: 'fault off, residents come back', zh: '故障已解除，正在恢复' },
  over: { en: 'over', zh: '已结束' },
}

export const momentWords: Readonly<Record<string, Words>> = {
  faultOn: { en: 'fault on', zh: '故障注入' },
  firstFailure: { en: 'first failed attempt', zh: '首次尝试失败' },
  breakerOpen: { en: 'breaker open', zh: '熔断器打开' },
  detected: { en: 'detected', zh: '已发现' },
  firstElsewhere: { en: 'first request served elsewhere', zh: '首个请求由他处承接' },
  shifted: { en: 'shifted, steady', zh: '切换完成' },
  faultOff: { en: 'fault off', zh: '故障解除' },
  firstHome: { en: 'first request home', zh: '首个请求回到本地' },
  recovered: { en: 'recovered, steady', zh: '恢复完成' },
}

/** Its whole way. Ends with 1 where its verdict is not `passed`. @throws {CommandFailure} on Ctrl-C. */
export async function watch(desk: Desk, id: string): Promise<void> {
  const verdict = await followed(desk, id)
  if (verdict === null) return
  if (verdict.verdict !== 'passed') process.exitCode = exitCodes.failed
}

/**
 * Follows a drill until it is over and tells its verdict.
 * @returns `null` where it never ran.
 * @throws {CommandFailure} on Ctrl-C: the drill goes on.
 */
export async function followed(desk: Desk, id: string): Promise<DrillVerdict | null> {
  const leaving = new AbortController()
  const onInterrupt = (): void => leaving.abort()
  process.once('SIGINT', onInterrupt)
  try {
    await untilOver(desk, id, leaving.signal)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
  const { value: drill } = await desk.client.get(pathOf(id), drillAnswer)
  if (drill.run === null) return null
  const { value } = await desk.client.get(`${pathOf(id)}/report`, drillVerdict)
  const { ending, detail } = value.run
  const how = value.verdict === 'ended-early' ? ` (${oneLine([ending, detail].join(' ').trim())})` : ''
  process.stderr.write(
    `${desk.say({ en: 'verdict', zh: '结论' })}: ${verdictText(desk, value.verdict)}${how}\n`,
  )
  return value
}

async function untilOver(desk: Desk, id: string, signal: AbortSignal): Promise<void> {
  const shown = new Shown(desk)
  using bar = new ProgressBar(1)
  for (;;) {
    if (signal.aborted) throw stillOn(id)
    const { value, text } = await desk.client.get(`${pathOf(id)}/progress`, drillProgress)
    bar.clear()
    if (desk.json) process.stdout.write(`${text}\n`)
    else shown.tell(value)
    if (value.phase === 'over' || value.phase === 'waiting') return
    const { done, note } = barOf(desk, value)
    bar.at(done, note)
    await wait(lookEveryMs, null, { signal }).catch(() => {})
  }
}

const stillOn = (id: string): CommandFailure =>
  new CommandFailure(exitCodes.interrupted, {
    en: `the drill goes on and ends by itself; to end it now: chiyuan drill stop ${id} --reason …`,
    zh: `演练仍在进行，到时自动结束；立即结束请执行：chiyuan drill stop ${id} --reason …`,
  })

/** What has been told already is not told again. */
class Shown {
  private readonly desk: Desk
  private phase = ''
  private readonly moments = new Set<string>()

  constructor(desk: Desk) {
    this.desk = desk
  }

  tell({ phase, timeline, now, measured }: DrillProgress): void {
    const { desk } = this
    const lines = Object.entries(timeline)
      .filter(([moment]) => !this.moments.has(moment))
      .toSorted(([, a], [, b]) => a.localeCompare(b))
      .map(([moment, at]) => {
        this.moments.add(moment)
        return `${at}  ${desk.say(momentWords[moment] ?? { en: moment, zh: moment })}`
      })
    if (phase !== this.phase) {
      this.phase = phase
      const counts = measured === null ? '' : `  ${countsText(desk, measured)}`
      lines.push(`${localTime(now)}  ${desk.say(phases[phase] ?? { en: phase, zh: phase })}${counts}`)
    }
    for (const line of lines) process.stdout.write(`${oneLine(line)}\n`)
  }
}

const countsText = (desk: Desk, { cohort, control }: NonNullable<DrillProgress['measured']>): string => {
  const part = (words: Words, { requests, errors }: { requests: number; errors: number }): string =>
    `${desk.say(words)} ${requests} / ${errors} ${desk.say({ en: 'failed', zh: '失败' })}`
  return `${part({ en: 'cohort', zh: '参与组' }, cohort)}, ${part({ en: 'control', zh: '对照组' }, control)}`
}

/** How far the fault's time has gone, and the last ten seconds in figures. */
function barOf(desk: Desk, progress: DrillProgress): { done: number; note: string } {
  const { phase, faultAt, endsAt, now, measured } = progress
  const [from, to, at] = [faultAt, endsAt, now].map((time) => (time === null ? 0 : Date.parse(time)))
  const whole = (to ?? 0) - (from ?? 0)
  const done =
    phase === 'prelude' || whole <= 0 ? 0 : phase === 'fault' ? ((at ?? 0) - (from ?? 0)) / whole : 1
  const text = desk.say(phases[phase] ?? { en: phase, zh: phase })
  if (measured === null) return { done, note: text }
  const recent = (name: Words, { requests, errors, p99Ms }: DrillProgressRecent): string =>
    `${desk.say(name)} ${(requests / 10).toFixed(1)} rps ${errors} ${desk.say({ en: 'failed', zh: '失败' })} p99 ${p99Ms === null ? '-' : Math.round(p99Ms)} ms`
  const { cohort, control } = measured
  return {
    done,
    note: `${text} | ${recent({ en: 'cohort', zh: '参与组' }, cohort.recent)} | ${recent({ en: 'control', zh: '对照组' }, control.recent)}`,
  }
}

type DrillProgressRecent = NonNullable<DrillProgress['measured']>['cohort']['recent']
