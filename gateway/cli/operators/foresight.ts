// What a change would do to the traffic of this moment, by the gateway's own forecast, in words.
import { z } from 'zod'
import { levelWords } from '../../policy/words.ts'
import { oneLine, table } from '../table.ts'
import type { Answer } from './client.ts'
import type { Desk } from './command.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { guardSchema, guardText } from './guards.ts'
import { inLanguage } from './language.ts'
import { toned } from './output.ts'

/** As the API takes it. */
export type ChangeAsked =
  | {
      readonly hold: {
        readonly kind: string
        readonly scope: { readonly node: string } | { readonly region: string }
      }
    }
  | { readonly endHold: string }
  | { readonly mode: string | null }
  | { readonly enrolment: string; readonly step: string }
  | { readonly removeNode: string }

const moved = z.object({ name: z.string(), before: z.number(), after: z.number() })
const regionForecast = z.object({ region: z.string(), utilisation: z.number().nullable() })

const previewAnswer = z.object({
  after: z.object({
    regions: z.array(regionForecast),
    totals: z.object({
      rps: z.number(),
      servedRps: z.number(),
      borrowedRps: z.number(),
      shedRps: z.number(),
    }),
  }),
  differences: z.object({
    homes: z.array(z.object({ home: z.string(), levels: z.array(moved), shed: moved.nullable() })),
    regions: z.array(moved),
  }),
  guards: z.array(guardSchema),
})
type Preview = z.output<typeof previewAnswer>

/** @throws {CommandFailure} */
export const preview = (desk: Desk, changes: readonly ChangeAsked[]): Promise<Answer<Preview>> =>
  desk.client.send('POST', '/preview', { body: { changes } }, previewAnswer)

/**
 * The same for the question before a change. A forecast that can't be had must not keep anybody from acting.
 * @throws {CommandFailure} for what the change itself would be refused for too.
 */
export async function foreseen(desk: Desk, changes: readonly ChangeAsked[]): Promise<string> {
  try {
    return previewText(desk, (await preview(desk, changes)).value)
  } catch (cause) {
    if (!(cause instanceof CommandFailure)) throw cause
    const status = cause.problem?.status
    const hasNoPreview = status === 404 || status === 405
    if (cause.exitCode !== exitCodes.failed && !hasNoPreview) throw cause
    const why = inLanguage(desk.language, cause.words)
    return `${desk.say({ en: 'no forecast of what it would do', zh: '无法预估影响' })}: ${oneLine(why)}\n`
  }
}

export function previewText(desk: Desk, { after, differences, guards }: Preview): string {
  const { rps, servedRps, borrowedRps, shedRps } = after.totals
  const totals = desk.say({
    en: `then ${rate(servedRps)} of ${rate(rps)} requests a second are served, ${rate(borrowedRps)} by others than the home, ${rate(shedRps)} turned away`,
    zh: `此后每秒 ${rate(rps)} 个请求中：承接 ${rate(servedRps)}，其中异地 ${rate(borrowedRps)}，拒绝 ${rate(shedRps)}`,
  })
  const rows = differences.homes.flatMap(({ home, levels, shed }) => [
    ...levels.map(({ name, before, after }) => [home, levelText(desk, name), rate(before), rate(after)]),
    ...(shed === null
      ? []
      : [[home, desk.say({ en: 'turned away', zh: '拒绝' }), rate(shed.before), rate(shed.after)]]),
  ])
  const use = new Map(after.regions.map(({ region, utilisation }) => [region, utilisation]))
  const regions = differences.regions.map(({ name, before, after }) => [
    name,
    rate(before),
    rate(after),
    percent(use.get(name)),
  ])
  const none = desk.say({ en: 'no traffic would move', zh: '流量不会变化' })
  return [
    rows.length === 0
      ? `${none}\n`
      : table(desk.say({ en: 'Home|By|rps now|rps then', zh: '属地|由|当前 rps|此后 rps' }).split('|'), rows),
    regions.length === 0
      ? ''
      : table(
          desk.say({ en: 'Region|rps now|rps then|Used', zh: '地区|当前 rps|此后 rps|占用' }).split('|'),
          regions,
        ),
    `${totals}\n`,
    ...guards.map((guard) => {
      const objects = guard.severity === 'object'
      const word = objects ? { en: 'OBJECTS', zh: '反对' } : { en: 'warns', zh: '提醒' }
      return `${toned(objects ? 'bad' : 'careful', desk.say(word), process.stderr)} ${oneLine(desk.say(guardText(guard)))}\n`
    }),
  ].join('')
}

/** @param level By its name in the API, and what follows it there. */
export function levelText(desk: Desk, level: string): string {
  const [name = '', ...rest] = level.split(' ')
  const words = Object.entries(levelWords).find(([known]) => known === name)?.[1]
  return [words === undefined ? name : desk.say(words), ...rest].join(' ')
}

/** Requests a second: whole ones, but for less than ten. */
export const rate = (rps: number): string =>
  rps >= 10 || rps === 0 ? String(Math.round(rps)) : rps.toFixed(1)

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '?' : `${Math.round(share * 100)} %`
