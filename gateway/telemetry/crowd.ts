// What is counted of crowds: who was turned away and why, what was shared, how many residents there are.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ShedReason } from '../model/events.ts'
import type { RouteClass } from '../model/route-class.ts'
import type { Home } from '../model/snapshot.ts'

export class CrowdMetrics {
  private readonly shed: Counter
  private readonly coalesced: Counter
  private readonly lastGood: Counter
  private readonly mode: Gauge
  private readonly children = new Map<string, { inc(): void }>()

  /** @param waiting Requests that wait for room now. */
  constructor(registry: Registry, readings: { waiting(): number; protection(): number }) {
    const registers = [registry]
    this.shed = new Counter({
      name: 'chiyuan_shed_total',
      help: 'Requests turned away for lack of room, by home region, route class and reason.',
      labelNames: ['home', 'class', 'reason'],
      registers,
    })
    this.coalesced = new Counter({
      name: 'chiyuan_coalesced_total',
      help: 'Requests answered by an upstream request of the same resident that was under way already.',
      labelNames: ['home', 'class'],
      registers,
    })
    this.lastGood = new Counter({
      name: 'chiyuan_last_good_total',
      help: 'Requests answered from what was kept of their resident’s last good answer, every level having failed.',
      labelNames: ['home', 'class'],
      registers,
    })
    this.mode = new Gauge({
      name: 'chiyuan_mode',
      help: '1 for the mode in force, peacetime or emergency.',
      labelNames: ['mode'],
      registers,
      aggregator: 'max',
    })
    const waiting: Gauge = new Gauge({
      name: 'chiyuan_requests_waiting',
      help: 'Requests that wait for room.',
      registers,
      collect: () => waiting.set(readings.waiting()),
    })
    const protection: Gauge = new Gauge({
      name: 'chiyuan_protection_level',
      help: 'How far the process protects itself: 0 normal, 1 eased, 2 shedding, 3 closed to new connections.',
      registers,
      aggregator: 'max',
      collect: () => protection.set(readings.protection()),
    })
  }

  requestShed({ region }: Home, routeClass: RouteClass, reason: ShedReason): void {
    this.child(`shed ${region.code} ${routeClass} ${reason}`, () =>
      this.shed.labels(region.code, routeClass, reason),
    ).inc()
  }

  requestCoalesced({ region }: Home, routeClass: RouteClass): void {
    this.child(`coalesced ${region.code} ${routeClass}`, () =>
      this.coalesced.labels(region.code, routeClass),
    ).inc()
  }

  lastGoodServed({ region }: Home, routeClass: RouteClass): void {
    this.child(`last-good ${region.code} ${routeClass}`, () =>
      this.lastGood.labels(region.code, routeClass),
    ).inc()
  }

  modeSet(mode: string): void {
    this.mode.reset()
    this.mode.set({ mode }, 1)
  }

  private child(name: string, make: () => { inc(): void }): { inc(): void } {
    let child = this.children.get(name)
    if (child === undefined) {
      child = make()
      this.children.set(name, child)
    }
    return child
  }
}
