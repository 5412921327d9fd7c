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

/** Monotonic milliseconds by which all processes of this machine agree. */
export const machineNow = (): number => Number(process.hrtime.bigint()) / 1e6

/** Wall-clock milliseconds since 1970, with fractions. */
export const exactWallNow = (): number => performance.timeOrigin + performance.now()
