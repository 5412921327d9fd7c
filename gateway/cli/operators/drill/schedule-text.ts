// When a drill may begin, in words.
import { z } from 'zod'
import { oneLine } from '../../table.ts'
import type { Desk } from '../command.ts'
import { localTime } from '../output.ts'
import type { DrillAnswer } from './answers.ts'

const once = z.object({ kind: z.literal('once'), at: z.number() })
const weekly = z.object({
  kind: z.literal('weekly'),
  windows: z.array(z.object({ weekday: z.int().min(0).max(6), from: z.number(), to: z.number() })),
  blocked: z.array(z.string()),
})

const weekdays = {
  en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'],
  zh: ['周日', '周一', '周二', '周三', '周四', '周五', '周六'],
} as const

/** A kind that this release does not know is shown as it came. */
export function scheduleText(desk: Desk, schedule: NonNullable<DrillAnswer['schedule']>): string {
  const single = once.safeParse(schedule)
  if (single.success) return localTime(new Date(single.data.at).toISOString())
  const repeated = weekly.safeParse(schedule)
  if (!repeated.success) return oneLine(JSON.stringify(schedule))
  const { windows, blocked } = repeated.data
  const days = weekdays[desk.language === 'en' ? 'en' : 'zh']
  const times = windows.map(({ weekday, from, to }) => `${days[weekday] ?? ''} ${clock(from)}-${clock(to)}`)
  const zone = desk.say({ en: 'China Standard Time', zh: '北京时间' })
  const but = blocked.length === 0 ? '' : `; ${desk.say({ en: 'not on', zh: '除外' })} ${blocked.join(' ')}`
  return `${times.join(', ')} (${zone})${but}`
}

/** @param minutes After midnight. */
const clock = (minutes: number): string =>
  [minutes / 60, minutes % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')
