// The real clock of the control loops.
import type { Clock } from '../model/clock.ts'

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Wall-clock milliseconds since 1970, with fractions. */
export const exactWallNow = (): number => performance.timeOrigin + performance.now()
