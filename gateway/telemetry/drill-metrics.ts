// What is counted of drills that are on: how far each is, and what residents of the cohort and of the control see.
import { Gauge, type Registry } from 'prom-client'
import type { DrillGroup, DrillMove, DrillPhase } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import { Tally, type TallyLine } from './tally.ts'

const phaseNumbers: Readonly<Record<DrillPhase, number>> = { ahead: 1, fault: 2, recovering: 3, over: 0 }

interface Lines {
  readonly requests: TallyLine
  readonly errors: TallyLine
}

export class DrillMetrics {
  private readonly phase: Gauge
  private readonly requests: Tally
  private readonly errors: Tally
  private readonly lines = new Map<string, Lines>()

  constructor(registry: Registry) {
    this.phase = new Gauge({
      name: 'chiyuan_drill_phase',
      help: 'How far a home’s drill is: 1 measured ahead of its fault, 2 fault on, 3 recovering; no line without one.',
      labelNames: ['home'],
      registers: [registry],
      aggregator: 'max',
    })
    const labels = ['home', 'group']
    this.requests = new Tally(
      registry,
      'chiyuan_drill_requests_total',
      'Requests of homes with a drill on, by group: cohort or control.',
      labels,
    )
    this.errors = new Tally(
      registry,
      'chiyuan_drill_errors_total',
      'Those of them that residents saw fail.',
      labels,
    )
  }

  moved({ home, phase }: DrillMove): void {
    if (phase === 'over') this.phase.remove({ home })
    else this.phase.set({ home }, phaseNumbers[phase])
  }

  requestEnded(home: RegionId, group: DrillGroup, failed: boolean): void {
    const name = `${home} ${group}`
    let lines = this.lines.get(name)
    if (lines === undefined) {
      lines = { requests: this.requests.line(home, group), errors: this.errors.line(home, group) }
      this.lines.set(name, lines)
    }
    lines.requests.count += 1
    if (failed) lines.errors.count += 1
  }
}
