// Counts a second over the last ten seconds, from counters that are kept anyway: the hot path pays nothing for them.
import type { Clock } from '../model/clock.ts'
import { ratesOverSeconds } from '../model/readings.ts'
import type { TallyLine } from './tally.ts'

const periodMs = 1000
/** The moments between which the window lies, and one more that is being overwritten. */
const slots = ratesOverSeconds + 1

/** Looks at all lines once a second. A line that came since then counted from 0. */
export class Rates implements Disposable {
  private readonly clock: Clock
  private readonly lines: () => Iterable<TallyLine>
  /** A line's count at each of the last moments. */
  private readonly counts = new WeakMap<TallyLine, Float64Array>()
  private readonly times = new Float64Array(slots)
  /** Moments looked at so far, the beginning included. */
  private looks = 0
  private cancel = (): void => {}

  constructor(clock: Clock, lines: () => Iterable<TallyLine>) {
    this.clock = clock
    this.lines = lines
    this.look()
  }

  /** Since ten seconds ago at the most; a gateway that started just now is taken to have run for a second. */
  perSecond(line: TallyLine): number {
    const oldest = this.looks < slots ? 0 : this.looks % slots
    const elapsedMs = Math.max(periodMs, this.clock.now() - (this.times[oldest] ?? 0))
    return ((line.count - (this.counts.get(line)?.[oldest] ?? 0)) * 1000) / elapsedMs
  }

  [Symbol.dispose](): void {
    this.cancel()
  }

  private look(): void {
    const slot = this.looks % slots
    this.times[slot] = this.clock.now()
    for (const line of this.lines()) {
      let counts = this.counts.get(line)
      if (counts === undefined) {
        counts = new Float64Array(slots)
        this.counts.set(line, counts)
      }
      counts[slot] = line.count
    }
    this.looks += 1
    this.cancel = this.clock.after(periodMs, () => this.look())
  }
}
