// The loop that measures this process and keeps the level of its self-protection, for the hot path to read.
import type { Clock } from '../model/clock.ts'
import {
  protect,
  type ProtectionLevel,
  type ProtectionReadings,
  type ProtectionReason,
  type ProtectionSettings,
  unprotected,
} from '../policy/protection.ts'

export interface PressureParts {
  readonly clock: Clock
  readonly loopDelay: { p99Ms(): number; forget(): void }
  /** Memory in use over what the process may have. */
  readonly memoryShare: () => number
  /** Open client connections over their limit. */
  readonly connectionShare: () => number
  /** Processor time that the process has used so far, ms. */
  readonly cpuMs: () => number
  /** Told of every reading. Must not throw. */
  readonly read: (readings: ProtectionReadings) => void
  /** Must not throw. */
  readonly changed: (level: ProtectionLevel, reason: ProtectionReason) => void
}

const periodMs = 250
/** A reading so much late, in which the process hardly ran, was a stopped process or a sleeping machine, no load. */
const pauseMs = 1000
const pausedCpuShare = 0.1

/** Processor time of this process, user and system, ms. */
export function processCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export class Pressure implements Disposable {
  /** Read by every request. */
  level: ProtectionLevel = 0
  /** What the level was last made from. */
  readings: ProtectionReadings = { eventLoopDelayMs: 0, memoryShare: 0, connectionShare: 0 }
  private readonly parts: PressureParts
  private settings: ProtectionSettings
  private state = unprotected
  private readAt: number
  private cpuAtRead: number
  private cancel: () => void

  constructor(parts: PressureParts, settings: ProtectionSettings) {
    this.parts = parts
    this.settings = settings
    this.readAt = parts.clock.now()
    this.cpuAtRead = parts.cpuMs()
    this.cancel = parts.clock.after(periodMs, () => this.tick())
  }

  /** New settings hold from the next reading on. */
  use(settings: ProtectionSettings): void {
    this.settings = settings
  }

  [Symbol.dispose](): void {
    this.cancel()
  }

  private tick(): void {
    const { clock, changed } = this.parts
    this.cancel = clock.after(periodMs, () => this.tick())
    const now = clock.now()
    this.readings = this.read(this.wasPaused(now))
    this.parts.read(this.readings)
    this.state = protect(this.state, this.readings, now, this.settings)
    const { level, reason } = this.state
    if (level === this.level) return
    this.level = level
    changed(level, reason)
  }

  private wasPaused(now: number): boolean {
    const cpuMs = this.parts.cpuMs()
    const gapMs = now - this.readAt
    const ranMs = cpuMs - this.cpuAtRead
    this.readAt = now
    this.cpuAtRead = cpuMs
    return gapMs > periodMs + pauseMs && ranMs < gapMs * pausedCpuShare
  }

  private read(paused: boolean): ProtectionReadings {
    const { loopDelay, memoryShare, connectionShare } = this.parts
    if (paused) loopDelay.forget()
    return {
      eventLoopDelayMs: loopDelay.p99Ms(),
      memoryShare: memoryShare(),
      connectionShare: connectionShare(),
    }
  }
}
