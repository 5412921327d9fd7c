// Daily windows in Asia/Shanghai, which has kept UTC+8 without summer time since 1991.
import type { EnrolmentTerms } from '../model/enrolment.ts'

export type Hours = EnrolmentTerms['hours']

export const dayMs = 86_400_000
const offsetMs = 8 * 3_600_000

/** `HH:MM` as ms of the day. @throws {TypeError} for anything else. */
export function msOfDay(time: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
  if (hours === undefined || minutes === undefined) {
    throw new TypeError(`"${time}" is not a time of day; write it as HH:MM, such as 22:00`)
  }
  return (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Where `wallMs` stands to a daily window. */
export interface WindowPlace {
  readonly open: boolean
  /** When that changes; `null` for never. */
  readonly changesAt: number | null
  /** When it closed last; `null` while it is open. */
  readonly closedAt: number | null
}

/** @param wallMs Wall-clock milliseconds since 1970. */
export function placeInHours(hours: Hours, wallMs: number): WindowPlace {
  if (hours === null) return { open: true, changesAt: null, closedAt: null }
  const from = msOfDay(hours.from)
  const until = msOfDay(hours.until)
  const time = (((wallMs + offsetMs) % dayMs) + dayMs) % dayMs
  const lengthMs = ahead(from, until)
  const sinceOpen = ahead(from, time)
  if (sinceOpen < lengthMs) return { open: true, changesAt: wallMs + lengthMs - sinceOpen, closedAt: null }
  return { open: false, changesAt: wallMs + ahead(time, from), closedAt: wallMs - ahead(until, time) }
}

/** From one time of day on to the next time that it is the other, ms below a day. */
const ahead = (from: number, to: number): number => (to - from + dayMs) % dayMs
