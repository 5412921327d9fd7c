// Residents of all workers: whoever came to two of them is one resident.
import { Cardinality } from '../policy/cardinality.ts'
import { type ResidentCount, union } from '../policy/resident-window.ts'
import { type MetricsCopy, withGauge } from '../telemetry/aggregate.ts'
import { activeResidents, requestsPerResident } from '../telemetry/residents.ts'
import type { ResidentsTold } from './messages.ts'

interface Home {
  readonly seen: Cardinality
  requests: number
}

const nobody: ResidentCount = union([])

/** Holds the newest window only, united as it is told: 4 KiB a home however many workers. */
export class ResidentUnion {
  private window = -Infinity
  private readonly homes = new Map<string, Home>()

  /**
   * What one worker saw in a window; each is told once. One that has ended meanwhile still counts.
   * @throws {RangeError} for what no worker of ours says.
   */
  told({ window, homes }: ResidentsTold): void {
    if (window < this.window) return
    if (window > this.window) this.homes.clear()
    this.window = window
    for (const [code, { registers, requests }] of Object.entries(homes)) {
      const home = this.homes.get(code) ?? { seen: new Cardinality(), requests: 0 }
      home.seen.mergeRegisters(Buffer.from(registers, 'base64'))
      home.requests += requests
      this.homes.set(code, home)
    }
  }

  /** The copies with the residents of all workers in place of each one's. */
  in(copies: readonly MetricsCopy[]): MetricsCopy[] {
    const counts = new Map<string, ResidentCount>()
    for (const [code, { seen, requests }] of this.homes) {
      counts.set(code, union([{ registers: seen.registers(), requests }]))
    }
    const of = (home: string): ResidentCount => counts.get(home) ?? nobody
    const active = withGauge(copies, activeResidents, (home) => of(home).residents)
    return withGauge(active, requestsPerResident, (home) => of(home).perResident)
  }
}
