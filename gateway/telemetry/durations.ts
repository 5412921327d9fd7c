// A histogram counted as plain numbers: prom-client hashes the labels anew at every observation, this adds.
import { Histogram, type Registry } from 'prom-client'

/** One labelled line of the histogram. */
export class DurationLine {
  readonly labels: Readonly<Record<string, string>>
  /** Observations by bucket, not cumulated; the last one is above every bound. */
  readonly counts: Uint32Array
  sum = 0
  private readonly bounds: readonly number[]

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels
    this.bounds = bounds
    this.counts = new Uint32Array(bounds.length + 1)
  }

  observe(seconds: number): void {
    const { bounds } = this
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at += 1
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
  }
}

/** To whoever scrapes, prom-client's histogram; its values are read from the lines at that moment. */
export class Durations extends Histogram {
  private readonly lines: DurationLine[] = []
  private readonly bounds: readonly number[]
  private readonly described: { name: string; help: string }

  /** @param bounds Upper edges of the buckets, seconds, rising. */
  constructor(registry: Registry, name: string, help: string, labelNames: string[], bounds: number[]) {
    super({ name, help, labelNames, buckets: bounds, registers: [registry] })
    this.bounds = bounds
    this.described = { name, help }
  }

  /** A new line; keep it and observe on it. */
  line(labels: Readonly<Record<string, string>>): DurationLine {
    const line = new DurationLine(labels, this.bounds)
    this.lines.push(line)
    return line
  }

  /** What prom-client asks every histogram for, before `get` and before text; its typings do not tell of it. */
  async getForPromString(): Promise<object> {
    const values = this.lines.flatMap((line) => this.valuesOf(line))
    return { ...this.described, type: 'histogram', aggregator: 'sum', values }
  }

  private valuesOf({ labels, counts, sum }: DurationLine): object[] {
    const { name } = this.described
    const values: object[] = []
    let total = 0
    counts.forEach((count, i) => {
      total += count
      const le = this.bounds[i] ?? '+Inf'
      values.push({ sharedLabels: labels, labels: { le }, value: total, metricName: `${name}_bucket` })
    })
    values.push({ sharedLabels: labels, labels: {}, value: sum, metricName: `${name}_sum` })
    values.push({ sharedLabels: labels, labels: {}, value: total, metricName: `${name}_count` })
    return values
  }
}
