// Waiting for a quiet machine: what other programs do meanwhile would be measured as well. The same wait for every
// contender, and bounded, so that a busy machine gives a report that says so rather than none.
import { setTimeout as sleep } from 'node:timers/promises'
import { busyMsOf } from './cpu-time.ts'
import type { Pinning } from './machine.ts'

/** Share of a core that others may use while our own processes are idle. */
const tolerated = 0.1
const lookMs = 300

export class Quiet {
  private leftMs: number
  private readonly cores: readonly string[]
  /** Measurements begun although others were busy. */
  private noisy = 0

  /** @param budgetMs For all waits of a run together. */
  constructor(pinning: Pinning | null, budgetMs: number) {
    this.cores = pinning === null ? [''] : [pinning.proxy, ...pinning.load.split(',')]
    this.leftMs = budgetMs
  }

  get noisyStarts(): number {
    return this.noisy
  }

  /** Resolves once nobody else is busy on our cores, or when there is no patience left. */
  async wait(signal: AbortSignal): Promise<void> {
    for (;;) {
      const startedAt = performance.now()
      const before = this.cores.map(busyMsOf)
      await sleep(lookMs, undefined, { signal })
      const wallMs = performance.now() - startedAt
      const busiest = Math.max(...this.cores.map((core, i) => busyMsOf(core) - (before[i] ?? 0)))
      if (busiest <= tolerated * wallMs) return
      this.leftMs -= wallMs
      if (this.leftMs <= 0) {
        this.noisy += 1
        return
      }
    }
  }
}
