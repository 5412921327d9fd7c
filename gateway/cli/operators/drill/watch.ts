// `chiyuan drill watch`: how a drill goes, as it goes; to look away from it does not end it.
import { setTimeout as wait } from 'node:timers/promises'
import { momentWords } from '../../../policy/drill-words.ts'
import { oneLine } from '../../table.ts'
import type { Desk } from '../command.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import type { Words } from '../language.ts'
import { left, localTime } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import {
  drillAnswer,
  type DrillProgress,
  drillProgress,
  drillVerdict,
  pathOf,
  type DrillVerdict,
} from './answers.ts'
import { endingText, verdictText, wordsOf } from './text.ts'

const lookEveryMs = 500
/** A gateway that is started anew is waited for so long: the drill may go on meanwhile. */
const patienceMs = 60_000

/** Told how a drill stands, and the API's own words for that. */
export type Telling = (progress: DrillProgress, text: string) => void

const phases: Readonly<Record<string, Words>> = {
  waiting: { en: 'has not begun', zh: '尚未开始' },
  prelude: { en: 'measured, without a fault yet', zh: '先行测量，尚未注入故障' },
  fault: { en: 'fault ON', zh: '故障已注入' },
  restoring: { en: 'fault off, residents come back', zh: '故障已解除，正在恢复' },
  over: { en: 'over', zh: '已结束' },
}

/** Its whole way. Ends with 1 where its verdict is not `passed`. @throws {CommandFailure} on Ctrl-C. */
export async function watch(desk: Desk, id: string): Promise<void> {
  const verdict = await followed(desk, id)
  if (verdict === null) return
  if (verdict.verdict !== 'passed') process.exitCode = exitCodes.failed
}

/**
 * Follows a drill until it is over and tells its verdict; a gateway that is away for a while is waited for.
 * @returns `null` where it never ran.
 * @throws {CommandFailure} on Ctrl-C: the drill goes on.
 */
export async function followed(
  desk: Desk,
  id: string,
  tell: Telling = tellingOf(desk),
): Promise<DrillVerdict | null> {
  const leaving = new AbortController()
  const onInterrupt = (): void => leaving.abort()
  process.once('SIGINT', onInterrupt)
  try {
    await untilOver(desk, id, tell, leaving.signal)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
  const { value: drill } = await desk.client.get(pathOf(id), drillAnswer)
  if (drill.run === null) return null
  const { value } = await desk.client.get(`${pathOf(id)}/report`, drillVerdict)
  const { ending, detail } = value.run
  const how = value.verdict === 'ended-early' ? ` (${endingText(desk, ending, detail)})` : ''
  process.stderr.write(
    `${desk.say({ en: 'verdict', zh: '结论' })}: ${verdictText(desk, value.verdict)}${how}\n`,
  )
  return value
}

const tellingOf = (desk: Desk): Telling => {
  if (desk.json) return (_, text) => void process.stdout.write(`${text}\n`)
  const shown = new Shown(desk)
  return (progress) => shown.tell(progress)
}

async function untilOver(desk: Desk, id: string, tell: Telling, signal: AbortSignal): Promise<void> {
  using bar = new ProgressBar(1)
  let heardAt: number | null = null
  let isLost = false
  for (;;) {
    if (signal.aborted) throw stillOn(id)
    try {
      const { value, text } = await desk.client.get(`${pathOf(id)}/progress`, drillProgress)
      bar.clear()
      tell(value, text)
      if (value.phase === 'over' || value.phase === 'waiting') return
      const { done, note } = barOf(desk, value)
      bar.at(done, note)
      heardAt = performance.now()
      isLost = false
    } catch (cause) {
      // Never there, or refused for good: no reason to go on asking.
      if (!mayPass(cause) || heardAt === null || performance.now() - heardAt > patienceMs) throw cause
      bar.clear()
      if (!isLost) lost(desk)
      isLost = true
    }
    await wait(lookEveryMs, null, { signal }).catch(() => {})
  }
}

const mayPass = (cause: unknown): boolean =>
  cause instanceof CommandFailure && cause.exitCode === exitCodes.failed

function lost(desk: Desk): void {
  const words = desk.say({
    en: 'the gateway does not answer; asking again (the drill ends by itself)',
    zh: '网关无应答，正在重试（演练到时自动结束）',
  })
  process.stderr.write(`chiyuan: ${words}\n`)
}

export const stillOn = (id: string): CommandFailure =>
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
        return `${at}  ${wordsOf(desk, momentWords, moment)}`
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
  const words = desk.say(phases[phase] ?? { en: phase, zh: phase })
  const next = phase === 'prelude' ? faultAt : phase === 'fault' ? endsAt : null
  const text = next === null ? words : `${words} ${left(next)}`
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
