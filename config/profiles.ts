// Peacetime and emergency: two sets of changes to the same settings, of which the mode puts one in force.
import type { Mode } from '../gateway/model/mode.ts'
import { isRecord } from './environment.ts'

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

/** Everything that `mode` changes of the file: what the file itself says of a field outranks what ships. */
export function profileOf(raw: Record<string, unknown>, mode: Mode): Record<string, unknown> {
  const own = isRecord(raw['profiles']) ? raw['profiles'][mode] : undefined
  return over(without(shipped[mode], raw), isRecord(own) ? own : {})
}

/** `below` without the fields that `said` names. */
function without(below: Record<string, unknown>, said: Record<string, unknown>): Record<string, unknown> {
  const left: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(below)) {
    const above = said[key]
    if (above === undefined) left[key] = value
    else if (isRecord(value) && isRecord(above)) left[key] = without(value, above)
  }
  return left
}

/** `below` with the fields of `above` put over it, section by section. */
export function over(
  below: Record<string, unknown>,
  above: Record<string, unknown>,
): Record<string, unknown> {
  const merged = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key]
    merged[key] = isRecord(under) && isRecord(value) ? over(under, value) : value
  }
  return merged
}
