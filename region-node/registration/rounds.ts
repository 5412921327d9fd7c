// Does something again and again: at a steady pace while it works, at longer and longer pauses while it doesn't.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Told {
  /** Once each time that it is lost. */
  lost(detail: string): void
  /** Once each time that it is back. */
  back(): void
}

/** One failure alone is not told: the agent may just be busy. */
const lostAfter = 2

/** Pauses between rounds, ms. */
export interface Pauses {
  /** After one that went well, a quarter more or less by chance, so that many who began together part. */
  readonly everyMs: number
  /** After the first failure; doubled with each, the second half of it by chance. */
  readonly firstMs: number
  /** After failures, at the most. */
  readonly mostMs: number
}

/** Soon enough to be back before anybody misses it, seldom enough for an agent that is ill. */
export const pausesOf = (everyMs: number): Pauses => ({ everyMs, firstMs: 500, mostMs: 5000 })

/** Runs until `signal` aborts; never rejects. */
export async function inRounds(
  round: () => Promise<void>,
  pauses: Pauses,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    try {
      await round()
      if (failures >= lostAfter) told.back()
      failures = 0
    } catch (cause) {
      failures += 1
      if (failures === lostAfter) told.lost(cause instanceof Error ? cause.message : String(cause))
    }
    const pause = pauseMs(failures, pauses, Math.random())
    // A process that has nothing else to do ends all the same.
    await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
  }
}

/** @param failures In a row, 0 or more. @param chance 0 to 1. */
export function pauseMs(failures: number, { everyMs, firstMs, mostMs }: Pauses, chance: number): number {
  if (failures === 0) return everyMs * (0.75 + chance / 2)
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20))
  return whole * (0.5 + chance / 2)
}
