// How many residents a home's traffic comes from, for Prometheus: many residents are a crowd, few are a refresh storm.
import { Gauge, type Registry } from 'prom-client'
import type { Home } from '../model/snapshot.ts'

/** Counts one home's residents over windows of time. */
export interface ResidentCounter {
  seen(key: number, now: number): void
  /** The last window that is over. */
  last(now: number): { readonly residents: number; readonly perResident: number }
  /** The same so that it can be united with other processes'. */
  lastRegisters(now: number): ResidentRegisters
}

export interface ResidentRegisters {
  readonly registers: Uint8Array
  readonly requests: number
}

export const activeResidents = 'chiyuan_residents_active'
export const requestsPerResident = 'chiyuan_requests_per_resident'

/** Homes with a line of their own; those beyond it share one, named `other`. Each line may hold kilobytes. */
const mostHomes = 1024
const otherHomes = 'other'

/**
 * Windows begin at the same moments in all processes, so they go by the time that those have in common.
 * @param now By `performance.now()`.
 */
export const wall = (now: number): number => performance.timeOrigin + now

/** Nothing is computed until somebody scrapes. A resident is here only as a hash inside a sketch of thousands. */
export class Residents {
  private readonly open: () => ResidentCounter
  private readonly byCode = new Map<string, ResidentCounter>()
  /** The same by identity. A new snapshot has new homes, which find their counter by code once. */
  private readonly byHome = new WeakMap<Home, ResidentCounter>()

  /**
   * @param open Makes the counter of one more home.
   * @param now The clock by which `residentSeen` is told the time.
   */
  constructor(registry: Registry, open: () => ResidentCounter, now: () => number) {
    this.open = open
    this.gauge(registry, now, 'sum', {
      name: activeResidents,
      help: 'Different residents in the last full window, by home region; an estimate within a few percent.',
      read: ({ residents }) => residents,
    })
    this.gauge(registry, now, 'max', {
      name: requestsPerResident,
      help: 'Requests of one resident in the last full window, by home region: near 1 a crowd, far above it a refresh storm.',
      read: ({ perResident }) => perResident,
    })
  }

  /** @param key Keyed 32-bit hash of the resident; not to be called where no resident is known. */
  residentSeen(home: Home, key: number, now: number): void {
    const counter = this.byHome.get(home) ?? this.counterOf(home)
    counter.seen(key, now)
  }

  /** The last full window of every home that somebody came from in it, by code. */
  lastRegisters(now: number): Map<string, ResidentRegisters> {
    const windows = new Map<string, ResidentRegisters>()
    for (const [home, counter] of this.byCode) {
      const window = counter.lastRegisters(now)
      if (window.requests > 0) windows.set(home, window)
    }
    return windows
  }

  /** Takes departed homes' lines out; series never expire by themselves. */
  follow(homes: ReadonlyMap<string, Home>): void {
    const codes = new Set<string>([otherHomes])
    for (const { region } of homes.values()) codes.add(region.code)
    for (const code of this.byCode.keys()) if (!codes.has(code)) this.byCode.delete(code)
  }

  private counterOf(home: Home): ResidentCounter {
    const { code } = home.region
    const name = this.byCode.has(code) || this.byCode.size < mostHomes ? code : otherHomes
    let counter = this.byCode.get(name)
    if (counter === undefined) {
      counter = this.open()
      this.byCode.set(name, counter)
    }
    this.byHome.set(home, counter)
    return counter
  }

  private gauge(
    registry: Registry,
    now: () => number,
    aggregator: 'sum' | 'max',
    { name, help, read }: { name: string; help: string; read: (last: Last) => number },
  ): void {
    const made: Gauge = new Gauge({
      name,
      help,
      aggregator,
      labelNames: ['home'],
      registers: [registry],
      collect: () => {
        made.reset()
        for (const [home, counter] of this.byCode) made.set({ home }, read(counter.last(now())))
      },
    })
  }
}

type Last = ReturnType<ResidentCounter['last']>
