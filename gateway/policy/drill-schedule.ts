// When a drill begins by its schedule: once, or in weekly windows, in China Standard Time.
import type { Schedule, WeeklyWindow } from '../model/drill.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** China has one time zone and no summer time. */
const offsetMs = 8 * 60 * minuteMs
/** A year of blocked weeks, and one more. */
const daysAtMost = 372
/** One that has a date may begin so much later, for a gateway that is started anew, ms. */
const lateAtMostMs = 5 * minuteMs

/**
 * @param from Wall-clock milliseconds since 1970; nothing before it.
 * @returns When it may begin, at `from` itself while a window is open; `null` for never.
 */
export function nextStart(schedule: Schedule, from: number): number | null {
  if (schedule.kind === 'once') return schedule.at >= from ? schedule.at : null
  const today = Math.floor((from + offsetMs) / dayMs)
  for (let day = today; day < today + daysAtMost; day++) {
    if (schedule.blocked.includes(dateOf(day))) continue
    const midnight = day * dayMs - offsetMs
    const opens = schedule.windows
      .filter(({ weekday }) => weekday === weekdayOf(day))
      .filter(({ to }) => midnight + to * minuteMs > from)
      .map((window) => Math.max(from, midnight + window.from * minuteMs))
    if (opens.length > 0) return Math.min(...opens)
  }
  return null
}

/** Whether it may begin now, be it that its time came while no gateway was there to begin it. */
export const mayBegin = (schedule: Schedule, now: number): boolean =>
  schedule.kind === 'once'
    ? now >= schedule.at && now - schedule.at <= lateAtMostMs
    : nextStart(schedule, now) === now

/** Pairs of windows that share a minute: one drill would begin in both. */
export const overlapping = (windows: readonly WeeklyWindow[]): boolean => firstOverlap(windows) !== null

/** The first such pair, or `null`. */
export function firstOverlap(windows: readonly WeeklyWindow[]): readonly [WeeklyWindow, WeeklyWindow] | null {
  for (const [i, a] of windows.entries()) {
    const b = windows
      .slice(i + 1)
      .find((one) => a.weekday === one.weekday && a.from < one.to && one.from < a.to)
    if (b !== undefined) return [a, b]
  }
  return null
}

/** 1 January 1970 was a Thursday. */
const weekdayOf = (day: number): number => (day + 4) % 7

/** `YYYY-MM-DD` of a count of days since 1970, by Hinnant's civil_from_days. */
export function dateOf(day: number): string {
  const z = day + 719_468
  const era = Math.floor(z / 146_097)
  const ofEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * ofYear + 2) / 153)
  const date = ofYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(date)}`
}
