// The steps of a drill at the command line: drafted, previewed, decided, begun, ended.
import { randomUUID } from 'node:crypto'
import { oneLine } from '../../table.ts'
import { change } from '../change.ts'
import type { Answer } from '../client.ts'
import type { CommonFlags, Desk } from '../command.ts'
import { mustAgree } from '../consent.ts'
import { show } from '../output.ts'
import { allPages, withQuery } from '../pages.ts'
import { type DrillAnswer, drillAnswer, type DrillForeseen, drillForeseen, pathOf } from './answers.ts'
import { type DraftFlags, hasFile, planOfFlags } from './draft-flags.ts'
import { readPlan, withPlanLines } from './plan-file.ts'
import { drillInFull, drillsTable, faultText, foreseenText, percent, scopeText } from './text.ts'
import { watch } from './watch.ts'

export interface StepFlags extends CommonFlags {
  readonly reason: string
  readonly yes?: true
  readonly override?: true
  readonly watch?: true
}

export const tell = (desk: Desk, answer: Pick<Answer<DrillAnswer>, 'value' | 'text'>): void =>
  show(desk, answer, () => drillInFull(desk, answer.value))

export const drillOf = (desk: Desk, id: string): Promise<Answer<DrillAnswer>> =>
  desk.client.get(pathOf(id), drillAnswer)

export async function list(desk: Desk, query: { home?: string; state?: string }): Promise<void> {
  const { home, state } = query
  const answer = await allPages(desk.client, withQuery('/drills', { home, state }), drillAnswer)
  show(desk, answer, () =>
    answer.value.length === 0
      ? `${desk.say({ en: 'no drills', zh: '没有演练' })}\n`
      : drillsTable(desk, answer.value.toSorted(onFirst)),
  )
}

/** What is on, then the newest. */
const onFirst = (a: DrillAnswer, b: DrillAnswer): number =>
  Number(isOn(b)) - Number(isOn(a)) || b.createdAt.localeCompare(a.createdAt)

const isOn = ({ state }: DrillAnswer): boolean => state === 'running' || state === 'restoring'

export async function draft(desk: Desk, flags: DraftFlags): Promise<void> {
  if (!hasFile(flags)) return tell(desk, await drafted(desk, planOfFlags(flags)))
  const read = await readPlan(flags.file)
  tell(desk, await withPlanLines(read, [], () => drafted(desk, read.plan)))
}

/** Once, even where the answer is lost and it is sent again. @throws {CommandFailure} */
export const drafted = (desk: Desk, plan: Readonly<Record<string, unknown>>): Promise<Answer<DrillAnswer>> =>
  desk.client.send('POST', '/drills', { body: plan, idempotencyKey: randomUUID() }, drillAnswer)

export const preview = (desk: Desk, id: string): Promise<Answer<DrillForeseen>> =>
  desk.client.send('POST', `${pathOf(id)}/preview`, {}, drillForeseen)

export async function showPreview(desk: Desk, id: string): Promise<void> {
  const answer = await preview(desk, id)
  show(desk, answer, () => foreseenText(desk, answer.value))
}

/** A step that rests on what its author has seen. @throws {CommandFailure} */
export const step = (
  desk: Desk,
  { id }: Pick<DrillAnswer, 'id'>,
  version: number | null,
  name: string,
  body: { reason: string; override?: boolean },
): Promise<Answer<DrillAnswer>> =>
  change(
    desk,
    { method: 'POST', path: `${pathOf(id)}/${name}`, body, version, target: `drills/${id}` },
    drillAnswer,
  )

/** Approves, refuses or schedules. */
export async function decide(desk: Desk, id: string, name: string, { reason }: StepFlags): Promise<void> {
  const { value, version } = await drillOf(desk, id)
  tell(desk, await step(desk, value, version, name, { reason }))
}

export async function start(desk: Desk, id: string, flags: StepFlags): Promise<void> {
  const { value, version } = await drillOf(desk, id)
  await mustAgree(desk, flags.yes === true, startPlan(desk, value, flags.reason))
  const body = { reason: flags.reason, ...(flags.override === true && { override: true }) }
  const answer = await step(desk, value, version, 'start', body)
  if (flags.watch === true) await watch(desk, id)
  else tell(desk, answer)
}

function startPlan(desk: Desk, drill: DrillAnswer, reason: string): string {
  const what = {
    fault: faultText(drill),
    at: scopeText(drill),
    share: percent(drill.cohort),
    homes: drill.scope.homes.join(' '),
  }
  return `${desk.say({
    en: `put ${what.fault} at ${what.at} upon ${what.share} of the residents of ${what.homes} for ${drill.seconds} s; it ends by itself. Reason: ${oneLine(reason)}`,
    zh: `对 ${what.homes} 的 ${what.share} 居民注入故障 ${what.fault}（位置 ${what.at}），持续 ${drill.seconds} 秒，到时自动结束。原因：${oneLine(reason)}`,
  })}\n`
}

/** Nobody is asked: to end a drill is always right. */
export async function stop(desk: Desk, id: string, reason: string): Promise<void> {
  tell(desk, await step(desk, { id }, null, 'stop', { reason }))
}
