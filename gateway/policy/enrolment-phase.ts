// What an enrolment does at a moment: serve, with how much of its pledge; drain; or nothing.
import type { Enrolment } from '../model/enrolment.ts'
import { placeInHours } from './hours.ts'

export interface PhaseSettings {
  /** Time from the first request to the full pledge, ms. 0: all at once. */
  readonly rampMs: number
  /** How long nodes that ceased to serve are kept for what they have in flight, ms. */
  readonly drainMs: number
}

/** `changesAt` is when it has to be looked at again: wall-clock ms, `null` for never. */
export type Phase =
  | { readonly kind: 'serving'; readonly share: number; readonly changesAt: number }
  | { readonly kind: 'draining'; readonly since: number; readonly until: number; readonly changesAt: number }
  | { readonly kind: 'away'; readonly changesAt: number | null }

/** Shares of the pledge after activation, one after the other: what nobody has seen under load starts small. */
export const rampShares = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1] as const

export function phaseOf(enrolment: Enrolment, wallMs: number, settings: PhaseSettings): Phase {
  const { servedUntil, servingSince } = enrolment
  const { hours, validFrom, validUntil } = enrolment.terms
  if (servingSince === null) {
    return servedUntil === null
      ? { kind: 'away', changesAt: null }
      : ended(Math.min(servedUntil, validUntil), null, wallMs, settings)
  }
  if (wallMs < validFrom) return { kind: 'away', changesAt: validFrom }
  if (wallMs >= validUntil) return ended(validUntil, null, wallMs, settings)
  const { open, changesAt, closedAt } = placeInHours(hours, wallMs)
  const next = Math.min(changesAt ?? Infinity, validUntil)
  const beganAt = Math.max(servingSince, validFrom)
  if (!open) {
    // It closed before it ever began: there is nothing to drain.
    if (closedAt === null || closedAt <= beganAt) return { kind: 'away', changesAt: next }
    return ended(closedAt, next, wallMs, settings)
  }
  const { share, stepsAt } = rampAt(beganAt, wallMs, settings.rampMs)
  return { kind: 'serving', share, changesAt: Math.min(next, stepsAt) }
}

function ended(since: number, next: number | null, wallMs: number, { drainMs }: PhaseSettings): Phase {
  const until = since + drainMs
  if (wallMs >= until) return { kind: 'away', changesAt: next }
  return { kind: 'draining', since, until, changesAt: Math.min(until, next ?? Infinity) }
}

function rampAt(beganAt: number, wallMs: number, rampMs: number): { share: number; stepsAt: number } {
  const last = rampShares.length - 1
  const stepMs = rampMs / last
  // A wall clock set back must not take a place before the first.
  const step = rampMs === 0 ? last : Math.max(0, Math.floor((wallMs - beganAt) / stepMs))
  const share = rampShares[step]
  if (share === undefined || step === last) return { share: 1, stepsAt: Infinity }
  return { share, stepsAt: Math.ceil(beganAt + (step + 1) * stepMs) }
}
