// Peacetime and emergency: two sets of changes to the same settings, of which the mode puts one in force.
import { isRecord } from './environment.ts'

export const modes = ['peacetime', 'emergency'] as const
export type Mode = (typeof modes)[number]

/** Sections that a profile may change: those that a running gateway takes over. */
export const profileSections = [
  'selection',
  'attempts',
  'hedging',
  'health',
  'classes',
  'queue',
  'lastGood',
  'standby',
  'protection',
] as const

/** What a mode changes unless the file says otherwise. */
const shipped: Readonly<Record<Mode, Record<string, unknown>>> = {
  peacetime: {},
  emergency: {
    // In a crowd a second try takes a place; a code of an hour ago is better than none; donors are kept warm.
    hedging: { budget: 0.05 },
    lastGood: { maxAgeSeconds: 3600 },
    standby: { warmShare: 0.02 },
  },
}

/** The file's contents with `mode`'s changes put over them. What the file itself says of a field outranks what ships. */
export function withProfile(raw: Record<string, unknown>, mode: Mode): Record<string, unknown> {
  const own = isRecord(raw['profiles']) ? raw['profiles'][mode] : undefined
  return over(over(shipped[mode], raw), isRecord(own) ? own : {})
}

function over(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key]
    merged[key] = isRecord(under) && isRecord(value) ? over(under, value) : value
  }
  return merged
}
