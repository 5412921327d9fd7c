// How far the gateway's own process must protect itself: a level from what it measures of itself, with hysteresis.

/**
 * - 0 `normal`.
 * - 1 `eased`: no hedges, idle connections are kept for a short time only.
 * - 2 `shedding`: deferrable requests are turned away too.
 * - 3 `closed`: new connections are refused, the last that is left to do.
 */
export type ProtectionLevel = 0 | 1 | 2 | 3

export const protectionNames = ['normal', 'eased', 'shedding', 'closed'] as const

/** What moved the level last; `calm` for a fall and at the start. */
export type ProtectionReason = 'event-loop' | 'memory' | 'connections' | 'calm'

/** A reading that is not a number demands nothing. */
export interface ProtectionReadings {
  /** p99 of the event loop's delay over the last second, ms. */
  readonly eventLoopDelayMs: number
  /** Memory in use over what the process may have, 0 to 1. */
  readonly memoryShare: number
  /** Open client connections over their limit, 0 to 1. */
  readonly connectionShare: number
}

/** The readings from which on each level is demanded, rising; `Infinity` where a reading never demands it. */
export interface ProtectionSteps {
  readonly eased: number
  readonly shedding: number
  readonly closed: number
}

export interface ProtectionSettings {
  readonly eventLoopDelayMs: ProtectionSteps
  readonly memoryShare: ProtectionSteps
  readonly connectionShare: ProtectionSteps
  /** A level is left only when every reading is below this share of the step that demands it, above 0 to 1. */
  readonly releaseShare: number
  /** And has been for so long, ms; then by one level. */
  readonly calmMs: number
}

export interface ProtectionState {
  readonly level: ProtectionLevel
  readonly reason: ProtectionReason
  /** Since when every reading is low enough for a lower level; `null` where one is not. */
  readonly calmSince: number | null
}

export const unprotected: ProtectionState = { level: 0, reason: 'calm', calmSince: null }

/**
 * Rises at once, to whatever is demanded; falls one level at a time, each after `calmMs` of calm, so that what the
 * level itself took off the process does not end it.
 *
 * @param now Milliseconds, never going back.
 */
export function protect(
  state: ProtectionState,
  readings: ProtectionReadings,
  now: number,
  settings: ProtectionSettings,
): ProtectionState {
  const demand = demandOf(readings, settings, 1)
  if (demand.level > state.level) return { ...demand, calmSince: null }
  const held = demandOf(readings, settings, settings.releaseShare).level
  if (held >= state.level) return state.calmSince === null ? state : { ...state, calmSince: null }
  if (state.calmSince === null) return { ...state, calmSince: now }
  if (now - state.calmSince < settings.calmMs) return state
  const level = below[state.level]
  return { level, reason: 'calm', calmSince: held < level ? now : null }
}

const below: Readonly<Record<ProtectionLevel, ProtectionLevel>> = { 0: 0, 1: 0, 2: 1, 3: 2 }

/** The highest level that a reading demands, and which reading it is; memory first, since it ends a process. */
function demandOf(
  readings: ProtectionReadings,
  settings: ProtectionSettings,
  scale: number,
): { level: ProtectionLevel; reason: ProtectionReason } {
  const memory = stepOf(readings.memoryShare, settings.memoryShare, scale)
  const connections = stepOf(readings.connectionShare, settings.connectionShare, scale)
  const eventLoop = stepOf(readings.eventLoopDelayMs, settings.eventLoopDelayMs, scale)
  if (memory >= connections && memory >= eventLoop) return { level: memory, reason: 'memory' }
  if (connections >= eventLoop) return { level: connections, reason: 'connections' }
  return { level: eventLoop, reason: 'event-loop' }
}

function stepOf(reading: number, steps: ProtectionSteps, scale: number): ProtectionLevel {
  if (reading >= steps.closed * scale) return 3
  if (reading >= steps.shedding * scale) return 2
  return reading >= steps.eased * scale ? 1 : 0
}
