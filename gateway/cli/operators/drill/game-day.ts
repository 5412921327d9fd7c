// `chiyuan drill run`: a game day. All its drills are drafted and judged before the first begins; then one after the other.
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { oneLine, table } from '../../table.ts'
import type { CommonFlags, Desk } from '../command.ts'
import { mustAgree } from '../consent.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import { span } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import { drillAnswer, type DrillAnswer, type DrillForeseen, type DrillVerdict } from './answers.ts'
import { type GameDay, type GameDayFile, readGameDay } from './game-day-file.ts'
import { withPlanLines } from './plan-file.ts'
import { reportOf } from './report.ts'
import { drillOf, preview, step } from './steps.ts'
import { faultText, foreseenText, percent, scopeText, verdictText } from './text.ts'
import { followed } from './watch.ts'

export interface GameDayFlags extends CommonFlags {
  readonly yes?: true
  readonly dryRun?: true
  readonly out?: string
}

interface Planned {
  readonly drill: DrillAnswer
  readonly seen: DrillForeseen
  readonly pauseSeconds: number
  readonly override: boolean
}

interface Ran {
  readonly drill: DrillAnswer
  /** `null`: it never began. */
  readonly verdict: DrillVerdict | null
}

const lookEveryMs = 1000

export async function runGameDay(desk: Desk, file: string, flags: GameDayFlags): Promise<void> {
  const read = await readGameDay(file)
  const { day } = read
  const planned = await preflight(desk, read)
  const ran: Ran[] = []
  try {
    process.stderr.write(planText(desk, day, planned))
    mustBePossible(planned)
    if (flags.dryRun === true) return
    await mustAgree(desk, flags.yes === true, '')
    if (flags.out !== undefined) await mkdir(flags.out, { recursive: true })
    for (const [i, one] of planned.entries()) {
      process.stdout.write(`\n${i + 1}/${planned.length}  ${oneLine(one.drill.name)}  ${one.drill.id}\n`)
      const verdict = await runOne(desk, day, one)
      ran.push({ drill: one.drill, verdict })
      if (flags.out !== undefined && verdict !== null) await keepReport(desk, flags.out, i, one.drill)
      const isLast = i === planned.length - 1
      if (verdict?.verdict !== 'passed' && !day.continueOnFailure) break
      if (!isLast) await countdown(one.pauseSeconds * 1000)
    }
  } finally {
    await giveUp(desk, day, planned.slice(ran.length))
    if (ran.length > 0) process.stdout.write(`\n${summary(desk, planned, ran)}`)
  }
  if (ran.length < planned.length || ran.some(({ verdict }) => verdict?.verdict !== 'passed'))
    process.exitCode = exitCodes.failed
}

/** Drafts and judges all. Where one can't be drafted the others are given up. */
async function preflight(desk: Desk, { day, place }: GameDayFile): Promise<Planned[]> {
  const planned: Planned[] = []
  try {
    for (const [i, { plan, pauseSeconds, override }] of day.drills.entries()) {
      const sent = { body: { reason: day.reason, ...plan }, idempotencyKey: randomUUID() }
      const { value } = await withPlanLines({ place }, ['drills', i], () =>
        desk.client.send('POST', '/drills', sent, drillAnswer),
      )
      const seen = await preview(desk, value.id)
      planned.push({ drill: value, seen: seen.value, pauseSeconds, override })
    }
  } catch (cause) {
    await giveUp(desk, day, planned)
    throw cause
  }
  return planned
}

/** What a wait or an approval does not mend. @throws {CommandFailure} before anything has begun. */
function mustBePossible(planned: readonly Planned[]): void {
  const bad = planned.filter(({ seen, override }) =>
    seen.objections.some(({ name, isHard }) => isHard || (!override && name !== 'wait-period')),
  )
  if (bad.length === 0) return
  const names = bad.map(({ drill }) => oneLine(drill.name)).join(', ')
  throw new CommandFailure(exitCodes.refused, {
    en: `nothing has begun: guards object to ${names}; change the plan, or write override: true with it where that is allowed`,
    zh: `尚未开始：保护规则反对 ${names}；请修改计划，或在允许时于该项写明 override: true`,
  })
}

const planText = (desk: Desk, day: GameDay, planned: readonly Planned[]): string =>
  [
    `${oneLine(day.name)}: ${oneLine(day.reason)}\n`,
    ...planned.map(
      ({ drill, seen }, i) =>
        `${i + 1}. ${oneLine(drill.name)}: ${faultText(drill)} @ ${scopeText(drill)}, ${drill.scope.homes.join(' ')}, ${percent(drill.cohort)}, ${span(drill.seconds)}\n${foreseenText(desk, seen).replaceAll(/^/gm, '   ').trimEnd()}\n`,
    ),
  ].join('')

/** @returns `null` where it did not begin. @throws {CommandFailure} where it is interrupted. */
async function runOne(
  desk: Desk,
  day: GameDay,
  { drill, seen, override }: Planned,
): Promise<DrillVerdict | null> {
  if (seen.needsApproval) await approved(desk, drill)
  const { version, objections } = await afterWaiting(desk, drill, override)
  if (objections.some(({ isHard }) => isHard) || (objections.length > 0 && !override)) {
    process.stderr.write(`${desk.say({ en: 'it did not begin', zh: '未能开始' })}:\n`)
    process.stderr.write(objections.map(({ name, home }) => `  ${name} ${home ?? ''}\n`).join(''))
    return null
  }
  const body = { reason: day.reason, ...(override && { override: true }) }
  await step(desk, drill, version, 'start', body)
  return followed(desk, drill.id)
}

/** Waits out the wait period of its homes, where that is not overruled. */
async function afterWaiting(
  desk: Desk,
  drill: DrillAnswer,
  override: boolean,
): Promise<{ version: number | null; objections: DrillForeseen['objections'] }> {
  for (;;) {
    const objections = await objectionsNow(desk, drill)
    const { version } = await drillOf(desk, drill.id)
    const waits = objections.filter(({ name }) => name === 'wait-period')
    if (override || waits.length === 0 || waits.length < objections.length) return { version, objections }
    const leftMs = Math.max(...waits.map(({ found, bound }) => bound - found)) + 500
    process.stderr.write(
      `${desk.say({ en: 'waiting out the wait period between drills', zh: '等待演练间隔' })}: ${span(leftMs / 1000)}\n`,
    )
    await countdown(leftMs)
  }
}

/** An approved drill is not previewed again: that would ask for approval again. */
async function objectionsNow(desk: Desk, { id }: DrillAnswer): Promise<DrillForeseen['objections']> {
  const { value } = await drillOf(desk, id)
  return value.state === 'approved' ? [] : (await preview(desk, id)).value.objections
}

/** Until another person has approved it. @throws {CommandFailure} where it is refused. */
async function approved(desk: Desk, { id, name }: DrillAnswer): Promise<void> {
  let told = false
  for (;;) {
    const { value } = await drillOf(desk, id)
    if (value.state === 'approved') return
    if (value.state !== 'previewed') {
      throw new CommandFailure(exitCodes.refused, {
        en: `"${oneLine(name)}" is ${value.state}; the game day ends here`,
        zh: `“${oneLine(name)}”状态为 ${value.state}，演练日到此结束`,
      })
    }
    if (!told) {
      told = true
      process.stderr.write(
        `${desk.say({
          en: `waiting for another person: chiyuan drill approve ${id} --reason …  (Ctrl-C ends the game day)`,
          zh: `等待另一人批准：chiyuan drill approve ${id} --reason …（按 Ctrl-C 结束演练日）`,
        })}\n`,
      )
    }
    await countdown(lookEveryMs)
  }
}

/** @throws {CommandFailure} on Ctrl-C. */
async function countdown(ms: number): Promise<void> {
  if (ms <= 0) return
  const leaving = new AbortController()
  const onInterrupt = (): void => leaving.abort()
  process.once('SIGINT', onInterrupt)
  using bar = new ProgressBar(ms)
  const endsAt = performance.now() + ms
  try {
    for (let leftMs = ms; leftMs > 0 && !leaving.signal.aborted; leftMs = endsAt - performance.now()) {
      bar.at(ms - leftMs, span(leftMs / 1000))
      await wait(Math.min(250, leftMs), null, { signal: leaving.signal }).catch(() => {})
    }
  } finally {
    process.off('SIGINT', onInterrupt)
  }
  if (!leaving.signal.aborted) return
  throw new CommandFailure(exitCodes.interrupted, {
    en: 'the game day was broken off; no drill is on',
    zh: '演练日已中止；没有进行中的演练',
  })
}

/** What has not begun shall not lie about as drafts. */
async function giveUp(desk: Desk, day: GameDay, rest: readonly Planned[]): Promise<void> {
  for (const { drill } of rest) {
    try {
      const { value } = await drillOf(desk, drill.id)
      if (['draft', 'previewed', 'approved', 'scheduled'].includes(value.state))
        await step(desk, drill, null, 'stop', { reason: `${day.name}: not run` })
    } catch (cause) {
      if (!(cause instanceof CommandFailure)) throw cause
      process.stderr.write(`${drill.id}: ${desk.say(cause.words)}\n`)
    }
  }
}

async function keepReport(desk: Desk, folder: string, i: number, { id, name }: DrillAnswer): Promise<void> {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
  const file = join(folder, `${String(i + 1).padStart(2, '0')}-${plain}-${id.slice(0, 8)}`)
  await writeFile(`${file}.html`, await reportOf(desk, id, 'html'))
  await writeFile(`${file}.json`, await reportOf(desk, id, 'json'))
}

function summary(desk: Desk, planned: readonly Planned[], ran: readonly Ran[]): string {
  const heads = desk
    .say({
      en: 'Drill|Verdict|Detect|Shift|Recover|Cohort|Failed|ID',
      zh: '演练|结论|发现|切换|恢复|参与请求|失败|编号',
    })
    .split('|')
  const ms = (value: number | null): string => (value === null ? '-' : `${Math.round(value)} ms`)
  const rows = planned.map(({ drill }, i) => {
    const verdict = ran[i]?.verdict ?? null
    if (verdict === null)
      return [drill.name, desk.say({ en: 'not run', zh: '未执行' }), '-', '-', '-', '-', '-', drill.id]
    const { times, cohort } = verdict
    const { requests, errors } = cohort.underFault
    return [
      drill.name,
      verdictText(desk, verdict.verdict),
      ms(times.detectMs),
      ms(times.shiftMs),
      ms(times.recoverMs),
      String(requests),
      String(errors),
      drill.id,
    ]
  })
  return table(heads, rows)
}
