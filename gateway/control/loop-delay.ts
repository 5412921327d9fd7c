// How late this process's event loop is, over the last second.
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** At 10 ms a second has about 100 samples, of which the p99 leaves out the worst: one long collection is no overload. */
const resolutionMs = 10
const readingsOfWindow = 4
/** A stall takes the samples that it should have had with it, so that a p99 overlooks it; one so long counts by itself. */
const longStallMs = 500

/** What is used of Node's histogram; ns. */
export interface DelayHistogram {
  readonly count: number
  readonly max: number
  percentile(percent: number): number
  reset(): void
  disable(): unknown
}

/**
 * Two of Node's histograms take turns, since one that is never reset forgets nothing and one that is reset at every
 * reading has too few samples for a p99. Each reading is of the elder one: of the last 0.75 to 1 s.
 */
export class LoopDelay implements Disposable {
  private elder: DelayHistogram
  private younger: DelayHistogram
  private readings = 0

  constructor(start = nodeHistogram) {
    this.elder = start()
    this.younger = start()
  }

  /** p99 delay, ms, never negative; the longest one where that is half a second or more. To be read every 250 ms. */
  p99Ms(): number {
    const delayMs = delayOf(this.elder)
    this.readings += 1
    if (this.readings % (readingsOfWindow / 2) === 0) {
      this.elder.reset()
      ;[this.elder, this.younger] = [this.younger, this.elder]
    }
    return delayMs
  }

  /** Leaves out everything until now. A reset histogram leaves out its next sample too, which could reach back. */
  forget(): void {
    this.elder.reset()
    this.younger.reset()
  }

  [Symbol.dispose](): void {
    this.elder.disable()
    this.younger.disable()
  }
}

/** Node records the time from one sample to the next, the pause between them included (measured on Node 26). */
function delayOf(histogram: DelayHistogram): number {
  if (histogram.count === 0) return 0
  const worstMs = histogram.max / 1e6
  const spanMs = worstMs < longStallMs ? histogram.percentile(99) / 1e6 : worstMs
  return Math.max(0, spanMs - resolutionMs)
}

function nodeHistogram(): DelayHistogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  return histogram
}
