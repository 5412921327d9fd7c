// Where requests wait for a moment when every level is full, the more important class first; in a class the first to come,
// or, once they wait for long, the last.
import type { NodeId } from '../../model/ids.ts'
import type { Home } from '../../model/snapshot.ts'
import { type RouteClass, routeClasses } from '../../model/route-class.ts'
import { Throughput } from '../../policy/throughput.ts'
import { type Place, Places } from './places.ts'

export interface Waiter {
  readonly home: Home
  readonly routeClass: RouteClass
  /** Nodes that it can't go to any more. */
  readonly tried: readonly NodeId[]
  /** Tries to go on. Returns false where there is still no room. */
  proceed(now: number): boolean
  /** It has waited for as long as it may. */
  waitedTooLong(): void
}

export interface WaitingSettings {
  /** Requests that may wait in all. */
  readonly size: number
  /** Wait at which a home counts as overloaded to the full, ms. */
  readonly targetWaitMs: number
  /** Longest wait, ms. */
  readonly maxWaitMs: number
}

export interface WaitingParts {
  settings(): WaitingSettings
  /**
   * Whether some node of `home` may turn out to take more than its limit says. Then nobody is turned away: it would be
   * our not knowing that sheds. Asked while somebody waits; the answer may raise limits.
   */
  mayStretch(home: Home, now: number): boolean
  now(): number
}

const tickMs = 10
/** Limits that nobody knows yet are found out within it, or those who wait for them have waited for nothing. */
const longestStretchMs = 3000
/** Homes that a freed place is offered to; the tick serves the others. */
const offersAtOnce = 8
/** Waiters who have been to the freed node already, and are passed over for others. */
const passedOverAtOnce = 8

interface Line {
  home: Home
  readonly byClass: Readonly<Record<RouteClass, Places<Waiter>>>
  readonly served: Throughput
  waiting: number
  /** For each class, since when somebody of it or of a more important one has been waiting. */
  readonly busySince: Record<RouteClass, number>
  stretching: boolean
}

export class WaitingRoom implements Disposable {
  private readonly parts: WaitingParts
  /** By the home's code, since a reload gives homes new identities. Who was served last stands last. */
  private readonly lines = new Map<string, Line>()
  private waiting = 0
  private timer: NodeJS.Timeout | undefined
  private pumping = false

  constructor(parts: WaitingParts) {
    this.parts = parts
  }

  /** Requests that wait now. */
  get size(): number {
    return this.waiting
  }

  /** Takes a request in. Returns false where it could not be served in time. */
  enter(waiter: Waiter, now: number): boolean {
    if (this.waiting >= this.parts.settings().size && !this.crowdOut(waiter.routeClass)) return false
    const line = this.lineOf(waiter.home)
    const expectedMs = line.served.timeFor(ahead(line, waiter.routeClass) + 1, now)
    if (!line.stretching && expectedMs > this.bearableWaitMs(line, waiter.routeClass, now)) {
      line.stretching = this.mayStretch(line, now)
      if (!line.stretching) return false
    }
    noteBusy(line, waiter.routeClass, now)
    line.byClass[waiter.routeClass].add(waiter, now)
    if (line.waiting === 0) {
      line.served.begin(now)
      // Not left to the tick: those who come before it would be shed for what is only not known yet.
      line.stretching = this.mayStretch(line, now)
    }
    line.waiting += 1
    this.waiting += 1
    this.timer ??= setInterval(() => this.tick(), tickMs)
    return true
  }

  /** Whoever waited has gone, or was answered. */
  leave(waiter: Waiter): void {
    const line = this.lines.get(waiter.home.region.code)
    if (line?.byClass[waiter.routeClass].delete(waiter) === true) this.left(line, this.parts.now())
  }

  /**
   * How overloaded a home's federation is: 0 while nobody waits, 1 when the longest wait has reached the target.
   */
  overload(home: Home, now: number): number {
    if (this.waiting === 0) return 0
    const line = this.lines.get(home.region.code)
    if (line === undefined || line.waiting === 0 || line.stretching) return 0
    return Math.min(1, longestWait(line, now) / this.parts.settings().targetWaitMs)
  }

  /**
   * Whether a request could not be served in time, known without looking for a place: others of its class or above wait
   * already, and too many of them. Spares a crowd's refusals the cost of a try.
   */
  isHopeless(home: Home, routeClass: RouteClass, now: number): boolean {
    if (this.waiting === 0) return false
    const line = this.lines.get(home.region.code)
    if (line === undefined || line.stretching) return false
    const before = ahead(line, routeClass)
    return before > 0 && line.served.timeFor(before + 1, now) > this.bearableWaitMs(line, routeClass, now)
  }

  /** A node of `region` has a place again. Its own residents come first. */
  placeFreed(region: string): void {
    if (this.waiting === 0 || this.pumping) return
    this.pumping = true
    try {
      const now = this.parts.now()
      const own = this.lines.get(region)
      if (own !== undefined && own.waiting > 0) this.serve(own, now)
      let offers = offersAtOnce
      for (const line of this.lines.values()) {
        if (this.waiting === 0 || offers === 0) break
        if (line === own || line.waiting === 0 || !reaches(line, region)) continue
        offers -= 1
        this.serve(line, now)
      }
    } finally {
      this.pumping = false
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private mayStretch(line: Line, now: number): boolean {
    const sinceMs = now - line.busySince.deferrable
    return this.parts.mayStretch(line.home, now) && (line.waiting === 0 || sinceMs < longestStretchMs)
  }

  private tick(): void {
    const now = this.parts.now()
    // Those that are served change their place in the map.
    const lines = [...this.lines]
    for (const [code, line] of lines) {
      if (line.waiting > 0) this.serve(line, now)
      if (line.waiting > 0) line.stretching = this.mayStretch(line, now)
      if (line.waiting > 0 && !line.stretching) this.expire(line, now)
      if (line.waiting === 0) {
        line.stretching = false
        if (line.served.isQuiet(now)) this.lines.delete(code)
      }
    }
    if (this.lines.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  /**
   * As in CoDel (RFC 8289), a queue may take up a burst, but one that has not been empty since is a standing one: it
   * makes everybody wait and serves nobody more. What stands behind a class is nothing to it.
   */
  private bearableWaitMs(line: Line, routeClass: RouteClass, now: number): number {
    const { targetWaitMs, maxWaitMs } = this.parts.settings()
    const stands = now - line.busySince[routeClass] > maxWaitMs && ahead(line, routeClass) > 0
    return stands ? targetWaitMs : maxWaitMs
  }

  /** Lets go on as many as find room, the most important class first. */
  private serve(line: Line, now: number): void {
    const before = line.waiting
    this.serveClasses(line, now)
    // Whoever was served stands back, else one home in need would have every place of a donor that helps two.
    if (line.waiting === before) return
    this.lines.delete(line.home.region.code)
    this.lines.set(line.home.region.code, line)
  }

  private serveClasses(line: Line, now: number): void {
    let passedOver = 0
    for (const name of routeClasses) {
      const places = line.byClass[name]
      const isLong = now - (places.oldest?.since ?? now) > this.parts.settings().targetWaitMs
      for (const place of isLong ? places.newestFirst() : places.oldestFirst()) {
        const { waiter } = place
        if (!waiter.proceed(now)) {
          // There is no room, unless it is only at nodes where this one has been.
          if (waiter.tried.length === 0 || ++passedOver > passedOverAtOnce) return
          continue
        }
        line.served.count(now)
        // A try that fails at once may have made it leave already, or come back for another.
        const standing = places.get(waiter)
        if (standing === place) places.delete(waiter)
        if (standing !== undefined) this.left(line, now)
      }
    }
  }

  /** Turns away one who waits and is of a lesser class than `routeClass`. Returns whether there was any. */
  private crowdOut(routeClass: RouteClass): boolean {
    for (const name of routeClasses.toReversed()) {
      if (name === routeClass) return false
      for (const line of this.lines.values()) {
        const place = line.byClass[name].oldest
        if (place === undefined) continue
        this.turnAway(line, place, this.parts.now())
        return true
      }
    }
    return false
  }

  private expire(line: Line, now: number): void {
    for (const name of routeClasses) {
      const before = now - this.bearableWaitMs(line, name, now)
      const places = line.byClass[name]
      for (let { oldest } = places; oldest !== undefined && oldest.since <= before; { oldest } = places) {
        this.turnAway(line, oldest, now)
      }
    }
  }

  private turnAway(line: Line, { waiter }: Place<Waiter>, now: number): void {
    line.byClass[waiter.routeClass].delete(waiter)
    this.left(line, now)
    waiter.waitedTooLong()
  }

  private left(line: Line, now: number): void {
    line.waiting -= 1
    this.waiting -= 1
    if (line.waiting === 0) line.served.end(now)
  }

  private lineOf(home: Home): Line {
    const known = this.lines.get(home.region.code)
    if (known !== undefined) {
      known.home = home
      return known
    }
    const line: Line = {
      home,
      byClass: { critical: new Places(), important: new Places(), deferrable: new Places() },
      served: new Throughput(),
      waiting: 0,
      busySince: { critical: 0, important: 0, deferrable: 0 },
      stretching: false,
    }
    this.lines.set(home.region.code, line)
    return line
  }
}

/** Someone of `routeClass` is about to wait: from now on those behind it wait too. */
function noteBusy(line: Line, routeClass: RouteClass, now: number): void {
  for (const name of routeClasses.slice(routeClasses.indexOf(routeClass))) {
    if (ahead(line, name) === 0) line.busySince[name] = now
  }
}

function ahead({ byClass }: Line, routeClass: RouteClass): number {
  let count = 0
  for (const name of routeClasses) {
    count += byClass[name].size
    if (name === routeClass) break
  }
  return count
}

function longestWait({ byClass }: Line, now: number): number {
  let since = now
  for (const name of routeClasses) {
    const first = byClass[name].oldest
    if (first !== undefined && first.since < since) since = first.since
  }
  return now - since
}

const reaches = ({ home }: Line, region: string): boolean =>
  home.levels.some((level) => level.region === region)
