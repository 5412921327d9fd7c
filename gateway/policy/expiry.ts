// How long before an enrolment ends its people are told.
import type { Enrolment, EnrolmentState } from '../model/enrolment.ts'
import { dayMs } from './hours.ts'

/** Days before the end at which a warning is due, the last first. */
export const warningDays = [1, 7, 30] as const

export interface ExpiryWarning {
  /** The warning that is due: of the last 30, 7 or 1 days; 0 once it has ended. */
  readonly days: (typeof warningDays)[number] | 0
  /** Time left, ms; 0 once it has ended. */
  readonly leftMs: number
}

/** States whose end somebody would miss. */
const missed: ReadonlySet<EnrolmentState> = new Set(['approved', 'active', 'suspended'])

/** `null` where none is due, or where nothing would end: only what is approved, active or suspended is missed. */
export function expiryWarning({ state, terms }: Enrolment, wallMs: number): ExpiryWarning | null {
  if (!missed.has(state)) return null
  const leftMs = terms.validUntil - wallMs
  if (leftMs <= 0) return { days: 0, leftMs: 0 }
  const days = warningDays.find((days) => leftMs <= days * dayMs)
  return days === undefined ? null : { days, leftMs }
}

/** When {@link expiryWarning} will say something else; `null` for never. */
export function nextWarningAt({ state, terms }: Enrolment, wallMs: number): number | null {
  if (!missed.has(state)) return null
  const moments = [...warningDays.toReversed(), 0].map((days) => terms.validUntil - days * dayMs)
  return moments.find((at) => at > wallMs) ?? null
}
