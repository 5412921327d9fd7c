// The counts of all workers, dead ones included, so that no counter ever goes back because a worker ended.
import { countsOf, type MetricsCopy, merged, readCopy, sumsOf } from './aggregate.ts'

/** Keeps each worker's last copy; workers are named by the number of their place. */
export class Ledger {
  private readonly last = new Map<number, string>()
  private retired: Promise<MetricsCopy> = Promise.resolve([])

  /** A newer copy takes the older one's place. It is read only when somebody asks, since most are never read. */
  take(place: number, text: string): void {
    this.last.set(place, text)
  }

  /**
   * The worker of this place ended: what it had counted by its last copy stays for ever.
   * Rejects where that copy can't be read; then it is left out.
   */
  async retire(place: number): Promise<void> {
    const text = this.last.get(place)
    if (text === undefined) return
    this.last.delete(place)
    const before = this.retired
    const after = before.then(async (sum) => merged([sum, countsOf(readCopy(text))]))
    this.retired = after.catch(() => before)
    await after
  }

  /**
   * What is to be added up.
   * @param silent Places that did not answer: only their sums count, from their last copy.
   */
  async copies(silent: ReadonlySet<number>): Promise<MetricsCopy[]> {
    const copies = [...this.last].map(([place, text]) => {
      const metrics = readCopy(text)
      return silent.has(place) ? sumsOf(metrics) : metrics
    })
    return [...copies, withoutDeparted(await this.retired, copies)]
  }
}

/** Drops counts of nodes that no living worker knows: series never expire by themselves. */
function withoutDeparted(retired: MetricsCopy, living: readonly MetricsCopy[]): MetricsCopy {
  const nodeGauges = living.flatMap((metrics) => metrics.filter(({ name }) => name === 'chiyuan_node_up'))
  if (nodeGauges.length === 0) return retired
  const known = new Set(nodeGauges.flatMap(({ values }) => values.map(({ labels }) => labels['node'])))
  return retired.map((metric) => ({
    ...metric,
    values: metric.values.filter(({ labels: { node } }) => node === undefined || known.has(node)),
  }))
}
