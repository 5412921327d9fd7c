// Active checks as a state machine: what a probe's result does to a node, and when to ask again.
import type { Health } from '../model/events.ts'

export interface ProbeSettings {
  /** Pause between probes of a node that is surely up, ms. */
  readonly intervalMs: number
  /** Pause while results contradict the state, ms. */
  readonly fastIntervalMs: number
  /** Pause while it is surely down, ms. */
  readonly downIntervalMs: number
  /** Good results in a row that bring a node up. */
  readonly rise: number
  /** Bad results in a row that take it down. */
  readonly fall: number
  /** Spread of every pause, as a share of it: 0.1 is 10 % either way. */
  readonly jitter: number
}

export interface ProbeState {
  readonly health: Health
  /** Results in a row that contradict `health`. */
  readonly streak: number
}

export const unprobed: ProbeState = { health: 'unknown', streak: 0 }

/** HAProxy's rise and fall. A node never probed before takes its first result's word. */
export function afterProbe(state: ProbeState, good: boolean, settings: ProbeSettings): ProbeState {
  const said: Health = good ? 'up' : 'down'
  if (state.health === 'unknown') return { health: said, streak: 0 }
  if (state.health === said) return state.streak === 0 ? state : { health: said, streak: 0 }
  const streak = state.streak + 1
  return streak >= (good ? settings.rise : settings.fall)
    ? { health: said, streak: 0 }
    : { health: state.health, streak }
}

/** @param draw Uniform in [0, 1), spreads many gateways' probes apart. */
export function nextProbeInMs(state: ProbeState, settings: ProbeSettings, draw: number): number {
  const pause =
    state.streak > 0 || state.health === 'unknown'
      ? settings.fastIntervalMs
      : state.health === 'down'
        ? settings.downIntervalMs
        : settings.intervalMs
  return pause * (1 + settings.jitter * (2 * draw - 1))
}
