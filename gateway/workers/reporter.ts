// Tells the primary each second that this worker lives, what is amiss, and all that it has counted.
import { copyOf } from '../telemetry/aggregate.ts'
import type { Gateway } from '../compose.ts'
import { residentWindowMs } from '../compose/control.ts'
import { wall } from '../telemetry/residents.ts'
import type { ResidentsTold } from './messages.ts'
import { tellPrimary } from './tell-primary.ts'

/** At most so much of what was counted is lost with a worker that is killed, ms. */
const everyMs = 1000
/** A large federation's metrics take long to write down; pauses keep it below 1/200 of the worker's time. */
const pauseFactor = 200

export class Reporter {
  private readonly gateway: Gateway
  private copyDueAt = 0
  private toldWindow = -1

  constructor(gateway: Gateway) {
    this.gateway = gateway
    setTimeout(() => void this.report(), everyMs).unref()
  }

  /** Sends a copy of all metrics. @param id Of the question that it answers, or `null`. */
  async copy(id: number | null): Promise<void> {
    const body = await copyOf(this.gateway.metrics)
    await tellPrimary({ type: 'copy', id, body, residents: this.residents() })
  }

  /** Sends what is measured now. @param id Of the question that it answers. */
  async state(id: number): Promise<void> {
    await tellPrimary({ type: 'state', id, readings: await this.gateway.measured.read() })
  }

  /** Sends what is measured of drills. @param id Of the question that it answers. */
  async drills(id: number): Promise<void> {
    await tellPrimary({ type: 'drills', id, drills: this.gateway.rehearsals.told() })
  }

  /** Kilobytes a home, so each window is told once, by whichever copy comes first after it. */
  private residents(): ResidentsTold | null {
    const now = wall(performance.now())
    const window = Math.floor(now / residentWindowMs) - 1
    if (window === this.toldWindow) return null
    this.toldWindow = window
    const homes: ResidentsTold['homes'] = {}
    for (const [home, { registers, requests }] of this.gateway.residents.lastRegisters(now)) {
      homes[home] = { registers: Buffer.from(registers).toString('base64'), requests }
    }
    return { window, homes }
  }

  /** The next report waits until the system has taken this one: a frozen primary is not buried in them. */
  private async report(): Promise<void> {
    await tellPrimary({ type: 'pulse', warnings: [...this.gateway.operators.warnings()] })
    const began = performance.now()
    if (began >= this.copyDueAt) {
      await this.copy(null)
      this.copyDueAt = performance.now() + Math.max(everyMs, (performance.now() - began) * pauseFactor) - 1
    }
    setTimeout(() => void this.report(), everyMs).unref()
  }
}
