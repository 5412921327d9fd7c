// The drills that this process takes part in: follows the leases of the snapshot, home by home.
import type { DrillLease } from '../../model/drill.ts'
import type { RegionId } from '../../model/ids.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import { type DrillMeasures, MeasuresInTheMaking } from '../../policy/drill-measure.ts'
import type { DrillsTold } from './measures-record.ts'
import { addedUp } from '../../policy/drill-measure-sum.ts'
import { Rehearsal, type RehearsalParts } from './rehearsal.ts'

/** Drills whose measures are kept after they are over. */
const keptAtMost = 8
/** So long after it is over others may ask for what was measured of it, ms: its report is written by then. */
const toldForMs = 180_000

export class Rehearsals implements Disposable {
  /** Told whenever another set of homes takes part. */
  changed: (inForce: readonly Rehearsal[]) => void = () => {}
  private readonly parts: RehearsalParts
  private readonly byHome = new Map<RegionId, Rehearsal>()
  /** By drill and home. */
  private readonly measures = new Map<string, Map<RegionId, MeasuresInTheMaking>>()

  private readonly overAt = new Map<string, number>()

  constructor(parts: RehearsalParts) {
    this.parts = parts
  }

  get inForce(): readonly Rehearsal[] {
    return [...this.byHome.values()]
  }

  /** After the board has followed it. */
  follow({ drills, homes }: Snapshot): void {
    // A snapshot costs nothing here while no drill is on.
    if (this.byHome.size === 0 && drills.length === 0) return
    const leases = new Map(drills.map((lease) => [lease.home, lease]))
    for (const [home, rehearsal] of this.byHome) {
      const lease = leases.get(home)
      rehearsal.follow(homes.get(home))
      if (lease?.drill === rehearsal.lease.drill) rehearsal.renew(lease)
      else rehearsal.end(this.parts.wallNow() >= rehearsal.lease.endsAt)
    }
    for (const lease of drills) {
      const home = homes.get(lease.home)
      const before = this.byHome.get(lease.home)
      if (home === undefined || before?.lease.drill === lease.drill) continue
      // Whoever is still being brought back is in the new drill's hands.
      before?.[Symbol.dispose]()
      const rehearsal = new Rehearsal(lease, home, this.measuresOf(lease), this.parts)
      rehearsal.whenOver = () => this.over(rehearsal)
      this.byHome.set(lease.home, rehearsal)
    }
    this.changed(this.inForce)
  }

  /** Told whether this gateway says that it hears from its registry. */
  hears(hears: boolean): void {
    for (const rehearsal of this.byHome.values()) rehearsal.hears(hears)
  }

  /** What this process measured of a drill; `null` where it took no part, or long ago. */
  read(drill: string): DrillMeasures | null {
    const now = this.parts.wallNow()
    return addedUp([...(this.measures.get(drill)?.values() ?? [])].map((one) => one.read(now)))
  }

  /** All that is measured here, for whoever adds up what several processes measured. */
  told(): DrillsTold {
    const told: DrillsTold = {}
    const since = this.parts.wallNow() - toldForMs
    for (const drill of this.measures.keys()) {
      if (!this.isInForce(drill) && (this.overAt.get(drill) ?? Infinity) < since) continue
      const measures = this.read(drill)
      if (measures !== null) told[drill] = { measures, inForce: this.isInForce(drill) }
    }
    return told
  }

  /** Whether residents of some home are still in it, be it on their way back. */
  isInForce(drill: string): boolean {
    return this.inForce.some(({ lease }) => lease.drill === drill)
  }

  [Symbol.dispose](): void {
    for (const rehearsal of this.byHome.values()) rehearsal[Symbol.dispose]()
    this.byHome.clear()
  }

  private over(rehearsal: Rehearsal): void {
    const { home } = rehearsal.lease
    if (this.byHome.get(home) === rehearsal) this.byHome.delete(home)
    this.overAt.set(rehearsal.lease.drill, this.parts.wallNow())
    this.changed(this.inForce)
  }

  private measuresOf({ drill, home, startedAt }: DrillLease): MeasuresInTheMaking {
    const ofDrill = this.measures.get(drill) ?? new Map<RegionId, MeasuresInTheMaking>()
    this.measures.set(drill, ofDrill)
    const [oldest] = this.measures.keys()
    if (this.measures.size > keptAtMost && oldest !== undefined) {
      this.measures.delete(oldest)
      this.overAt.delete(oldest)
    }
    const measures = ofDrill.get(home) ?? new MeasuresInTheMaking(startedAt)
    ofDrill.set(home, measures)
    return measures
  }
}
