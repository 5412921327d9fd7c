// `chiyuan drill run`: a game day. All its drills are drafted and judged before the first begins; then one after the other.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { oneLine, table } from '../../table.ts'
import type { CommonFlags, Desk } from '../command.ts'
import { mustAgree } from '../consent.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import { span } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import { type DrillAnswer, type DrillForeseen, drillObjection, type DrillVerdict } from './answers.ts'
import { type GameDay, type GameDayFile, readGameDay } from './game-day-file.ts'
import { withPlanLines } from './plan-file.ts'
import { reportOf } from './report.ts'
import { keepReport, makeFolder } from './game-day-reports.ts'
import { Interrupts } from './interrupts.ts'
import { drafted, drillOf, preview, step } from './steps.ts'
import { faultText, foreseenText, objectionText, percent, scopeText, verdictText } from './text.ts'
import { followed, stillOn } from './watch.ts'

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
  if (flags.out !== undefined && flags.dryRun !== true) await makeFolder(flags.out)
  using interrupts = new Interrupts()
  const planned = await preflight(desk, read, interrupts)
  const ran: Ran[] = []
  try {
    process.stderr.write(planText(desk, day, planned))
    mustBePossible(planned)
    if (flags.dryRun === true) {
      if (desk.json)
        writeJson(
          day,
          planned.map(({ drill, seen }) => ({ id: drill.id, name: drill.name, seen })),
        )
      return
    }
    await mustAgree(desk, flags.yes === true, '')
    for (const [i, one] of planned.entries()) {
      outputOf(desk).write(`\n${i + 1}/${planned.length}  ${oneLine(one.drill.name)}  ${one.drill.id}\n`)
      const verdict = await runOne(desk, day, one, interrupts)
      ran.push({ drill: one.drill, verdict })
      if (flags.out !== undefined && verdict !== null) await keepReport(desk, flags.out, i, one.drill)
      const isLast = i === planned.length - 1
      if (verdict?.verdict !== 'passed' && !day.continueOnFailure) break
      if (!isLast) await countdown(one.pauseSeconds * 1000, interrupts)
    }
  } finally {
    await giveUp(desk, day, planned.slice(ran.length))
    if (ran.length > 0) await tellEnd(desk, day, planned, ran)
  }
  if (ran.length < planned.length || ran.some(({ verdict }) => verdict?.verdict !== 'passed'))
    process.exitCode = exitCodes.failed
}

/** Drafts and judges all. Where one can't be drafted the others are given up. */
async function preflight(
  desk: Desk,
  { day, place }: GameDayFile,
  interrupts: Interrupts,
): Promise<Planned[]> {
  const planned: Planned[] = []
  try {
    for (const [i, { plan, pauseSeconds, override }] of day.drills.entries()) {
      const { value } = await withPlanLines({ place }, ['drills', i], () =>
        drafted(desk, { reason: day.reason, ...plan }),
      )
      const seen = await preview(desk, value.id)
      planned.push({ drill: value, seen: seen.value, pauseSeconds, override })
      interrupts.mustGoOn()
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
  planned: Planned,
  interrupts: Interrupts,
): Promise<DrillVerdict | null> {
  const { drill, seen } = planned
  if (seen.needsApproval) await approved(desk, drill, interrupts)
  if (!(await begun(desk, day, planned, interrupts))) return null
  if (interrupts.signal.aborted) throw stillOn(drill.id)
  return desk.json ? followed(desk, drill.id, () => {}) : followed(desk, drill.id)
}

/**
 * Starts it, once the wait period of its homes is over where that is all that speaks against it.
 * @returns Whether it is on.
 */
async function begun(
  desk: Desk,
  day: GameDay,
  { drill, override }: Planned,
  interrupts: Interrupts,
): Promise<boolean> {
  for (;;) {
    interrupts.mustGoOn()
    const objections = await startOnce(desk, day, drill, override)
    if (objections.length === 0) return true
    if (objections.some(({ name }) => name !== 'wait-period')) {
      process.stderr.write(`${desk.say({ en: 'it did not begin', zh: '未能开始' })}:\n`)
      for (const one of objections) process.stderr.write(`  ${oneLine(objectionText(desk, one))}\n`)
      return false
    }
    const leftMs = Math.max(0, ...objections.map(({ found, bound }) => bound - found)) + 500
    process.stderr.write(
      `${desk.say({ en: 'waiting out the wait period between drills', zh: '等待演练间隔' })}: ${span(leftMs / 1000)}\n`,
    )
    await countdown(leftMs, interrupts)
  }
}

const guarded = z.object({ objections: z.array(drillObjection).min(1) })

/** The gateway judges, so that nothing changes between its word and the start. @returns What guards object; none: it is on. */
async function startOnce(
  desk: Desk,
  day: GameDay,
  drill: DrillAnswer,
  override: boolean,
): Promise<DrillForeseen['objections']> {
  const { version } = await drillOf(desk, drill.id)
  try {
    await step(desk, drill, version, 'start', { reason: day.reason, ...(override && { override: true }) })
    return []
  } catch (cause) {
    const said = guarded.safeParse(cause instanceof CommandFailure ? cause.problem : null)
    if (!said.success) throw cause
    return said.data.objections
  }
}

/** Until another person has approved it. @throws {CommandFailure} where it is refused. */
async function approved(desk: Desk, { id, name }: DrillAnswer, interrupts: Interrupts): Promise<void> {
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
    await countdown(lookEveryMs, interrupts)
  }
}

/** @throws {CommandFailure} on Ctrl-C. */
async function countdown(ms: number, interrupts: Interrupts): Promise<void> {
  interrupts.mustGoOn()
  if (ms <= 0) return
  using bar = new ProgressBar(ms)
  const { signal } = interrupts
  const endsAt = performance.now() + ms
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs = endsAt - performance.now()) {
    bar.at(ms - leftMs, span(leftMs / 1000))
    await wait(Math.min(250, leftMs), null, { signal }).catch(() => {})
  }
  bar.clear()
  interrupts.mustGoOn()
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

/** With `--json` what is shown on the way is beside the one document. */
const outputOf = (desk: Desk): NodeJS.WriteStream => (desk.json ? process.stderr : process.stdout)

const writeJson = ({ name }: GameDay, drills: readonly unknown[]): void =>
  void process.stdout.write(`${JSON.stringify({ name, drills })}\n`)

async function tellEnd(
  desk: Desk,
  day: GameDay,
  planned: readonly Planned[],
  ran: readonly Ran[],
): Promise<void> {
  if (!desk.json) return void process.stdout.write(`\n${summary(desk, planned, ran)}`)
  const told = []
  for (const [i, { drill }] of planned.entries()) {
    const hasReport = (ran[i]?.verdict ?? null) !== null
    const report: unknown = hasReport ? JSON.parse(await reportOf(desk, drill.id, 'json')) : null
    told.push({ id: drill.id, name: drill.name, report })
  }
  writeJson(day, told)
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
