// Lets drills know whether this gateway says that it hears from its registry: that is how a lost one is found out.
import type { Observer } from '../../model/events.ts'
import { Passing } from '../../telemetry/passing.ts'
import type { Rehearsals } from './rehearsals.ts'

export class RegistryHearing extends Passing {
  private readonly rehearsals: Pick<Rehearsals, 'hears'>

  constructor(to: Observer, rehearsals: Pick<Rehearsals, 'hears'>) {
    super(to)
    this.rehearsals = rehearsals
  }

  override registryLost(detail: string): void {
    super.registryLost(detail)
    this.rehearsals.hears(false)
  }

  override registryBack(): void {
    super.registryBack()
    this.rehearsals.hears(true)
  }
}
