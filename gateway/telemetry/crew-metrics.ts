// What the primary process counts about its workers.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { copyOf, type MetricsCopy, readCopy } from './aggregate.ts'

export class CrewMetrics {
  readonly registry = new Registry()
  private readonly ended = new Counter({
    name: 'chiyuan_worker_ends_total',
    help: 'Worker processes that ended unasked, by place.',
    labelNames: ['worker'],
    registers: [this.registry],
  })
  private readonly missing = new Gauge({
    name: 'chiyuan_worker_scrape_missing',
    help: '1 where the worker did not answer this scrape: its counts are from its last copy.',
    labelNames: ['worker'],
    registers: [this.registry],
  })
  private readonly reloads = new Counter({
    name: 'chiyuan_reload_refused_total',
    help: 'Reloads refused because of their content.',
    labelNames: ['what'],
    registers: [this.registry],
  })

  /** @param ready How many workers serve now. */
  constructor(ready: () => number) {
    collectDefaultMetrics({ register: this.registry })
    const workers: Gauge = new Gauge({
      name: 'chiyuan_workers',
      help: 'Worker processes that serve residents.',
      registers: [this.registry],
      collect: () => workers.set(ready()),
    })
  }

  get contentType(): string {
    return this.registry.contentType
  }

  workerEnded(place: number): void {
    this.ended.inc({ worker: String(place) })
  }

  reloadRefused(what: string): void {
    this.reloads.inc({ what })
  }

  /** @param silent Places that did not answer. */
  scraped(places: number, silent: ReadonlySet<number>): void {
    for (let place = 1; place <= places; place++) {
      this.missing.set({ worker: String(place) }, silent.has(place) ? 1 : 0)
    }
  }

  /** Without the event loop's own figures: the primary idles, and would water down the workers'. */
  async copy(): Promise<MetricsCopy> {
    const all = readCopy(await copyOf(this.registry))
    return all.filter(({ name }) => !name.startsWith('nodejs_'))
  }
}
