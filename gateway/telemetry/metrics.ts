// What is counted, for Prometheus. No resident, path or address is ever a label.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AttemptKind, Observer, Refusal, RequestOutcome, ShedReason } from '../model/events.ts'
import type { DrillGroup, DrillMove } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import type { Outcome } from '../model/outcome.ts'
import type { CodeNode } from '../model/region.ts'
import type { RouteClass } from '../model/route-class.ts'
import type { Home, Level, Snapshot } from '../model/snapshot.ts'
import { CatalogueGauges } from './catalogue-gauges.ts'
import { CrowdMetrics } from './crowd.ts'
import { DrillMetrics } from './drill-metrics.ts'
import { type DurationLine, Durations } from './durations.ts'
import { gaugesOfNodes, type NodeReading } from './node-gauges.ts'
import { type ResidentCounter, Residents, wall } from './residents.ts'
import { lineOf, Tally, type TallyLine } from './tally.ts'

export interface Readings {
  nodes(): Iterable<NodeReading>
  connections(): number
  /** Requests that wait for room. */
  waiting(): number
  protection(): number
}

/** Requests of one home answered at one level: their lines of the metrics, looked up once. */
interface Series {
  readonly labels: readonly [string, string, string]
  readonly seconds: DurationLine
  readonly outcomes: Map<RequestOutcome, TallyLine>
  readonly failovers: TallyLine | null
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10]

export class Metrics implements Observer {
  readonly registry = new Registry()
  private readonly requests = this.tally(
    'chiyuan_requests_total',
    'Requests by home region, the level that answered and how they ended for the resident.',
    ['home', 'level', 'region', 'outcome'],
  )
  private readonly durations = new Durations(
    this.registry,
    'chiyuan_request_duration_seconds',
    'Time from a request to the end of its answer, by home region and level.',
    ['home', 'level'],
    seconds,
  )
  private readonly failovers = this.tally(
    'chiyuan_failovers_total',
    'Requests answered by a level other than local.',
    ['home', 'level', 'region'],
  )
  private readonly refusals = this.counter(
    'chiyuan_refusals_total',
    'Requests and connections turned away, by reason.',
    ['reason'],
  )
  private readonly attempts = this.tally('chiyuan_attempts_total', 'Tries at nodes by how they ended.', [
    'node',
    'outcome',
  ])
  private readonly started = this.tally(
    'chiyuan_attempts_started_total',
    'Tries at nodes by why they were made.',
    ['node', 'kind'],
  )
  private readonly budgets = this.counter('chiyuan_budget_spent_total', 'Retries and hedges not afforded.', [
    'budget',
  ])
  private readonly breakerMoves = this.counter('chiyuan_breaker_transitions_total', 'Changes of breakers.', [
    'node',
    'state',
  ])
  private readonly unreadable = this.counter(
    'chiyuan_readiness_unreadable_total',
    'Probes whose answer about homes could not be believed and counted for nothing.',
    ['node'],
  )
  private readonly reloads = this.counter(
    'chiyuan_reload_refused_total',
    'Reloads refused because of their content.',
    ['what'],
  )
  private readonly internalErrors = this.counter(
    'chiyuan_internal_errors_total',
    'Requests that met a fault of the gateway itself; see the log.',
    [],
  )
  private readonly streams = new Gauge({
    name: 'chiyuan_streams',
    help: 'Uploads, event streams and WebSockets open now.',
    registers: [this.registry],
  })
  private readonly version = new Gauge({
    name: 'chiyuan_snapshot_version',
    help: 'Version of the snapshot in force.',
    registers: [this.registry],
  })
  private readonly registryUp = new Gauge({
    name: 'chiyuan_registry_up',
    help: '1 while the registry can be heard; 0 while the last known view is in force.',
    registers: [this.registry],
  })
  private readonly durationLines = new Map<string, DurationLine>()
  private readonly seriesByName = new Map<string, Series>()
  /** The same by identity. A new snapshot has new levels, which find their series by name once. */
  private readonly series = new WeakMap<Level, Series>()
  private readonly inFlight = new Map<string, { count: number }>()
  private readonly ended = new Map<string, Map<Outcome, TallyLine>>()
  private readonly begun = new Map<string, Map<AttemptKind, TallyLine>>()

  private readonly crowd: CrowdMetrics
  private readonly drills = new DrillMetrics(this.registry)
  private readonly catalogues = new CatalogueGauges(this.registry)
  readonly residents: Residents

  /** @param residentWindow Makes the counter of one more home's residents. */
  constructor(readings: Readings, residentWindow: () => ResidentCounter) {
    this.crowd = new CrowdMetrics(this.registry, readings)
    this.residents = new Residents(this.registry, residentWindow, () => wall(performance.now()))
    this.registryUp.set(1)
    collectDefaultMetrics({ register: this.registry })
    gaugesOfNodes(this.registry, () => readings.nodes())
    const inFlight: Gauge = new Gauge({
      name: 'chiyuan_requests_in_flight',
      help: 'Requests that residents wait for, by home region.',
      labelNames: ['home'],
      registers: [this.registry],
      collect: () => {
        for (const [home, { count }] of this.inFlight) inFlight.set({ home }, count)
      },
    })
    const connections: Gauge = new Gauge({
      name: 'chiyuan_connections',
      help: 'Open client connections.',
      registers: [this.registry],
      collect: () => connections.set(readings.connections()),
    })
  }

  /** Labels: home, level, its region, outcome; `none` where no level answered. */
  get requestLines(): Iterable<TallyLine> {
    return this.requests.all()
  }

  /** Labels: node, outcome. */
  get attemptLines(): Iterable<TallyLine> {
    return this.attempts.all()
  }

  requestBegan(home: Home): void {
    this.inFlightOf(home).count += 1
  }

  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    this.inFlightOf(home).count -= 1
    const series = this.seriesOf(home, level)
    series.seconds.observe(durationMs / 1000)
    let line = series.outcomes.get(outcome)
    if (line === undefined) {
      line = this.requests.line(...series.labels, outcome)
      series.outcomes.set(outcome, line)
    }
    line.count += 1
    if (series.failovers !== null) series.failovers.count += 1
  }

  requestRefused(refusal: Refusal): void {
    this.refusals.inc({ reason: refusal })
  }

  requestShed(home: Home, routeClass: RouteClass, reason: ShedReason): void {
    this.crowd.requestShed(home, routeClass, reason)
  }

  lastGoodServed(home: Home, routeClass: RouteClass): void {
    this.crowd.lastGoodServed(home, routeClass)
  }

  requestCoalesced(home: Home, routeClass: RouteClass): void {
    this.crowd.requestCoalesced(home, routeClass)
  }

  residentSeen(home: Home, key: number, now: number): void {
    this.residents.residentSeen(home, key, wall(now))
  }

  protectionChanged(): void {}

  modeSet(mode: string): void {
    this.crowd.modeSet(mode)
  }

  /** Takes departed homes out. */
  follow({ homes }: Snapshot): void {
    this.residents.follow(homes)
  }

  attemptStarted(node: CodeNode, kind: AttemptKind): void {
    lineOf(this.begun, node.id, kind, this.started).count += 1
  }

  attemptEnded(node: CodeNode, outcome: Outcome): void {
    lineOf(this.ended, node.id, outcome, this.attempts).count += 1
  }

  budgetSpent(budget: 'retry' | 'hedge'): void {
    this.budgets.inc({ budget })
  }

  streamOpened(): void {
    this.streams.inc()
  }

  streamClosed(): void {
    this.streams.dec()
  }

  healthChanged(): void {}
  readinessChanged(): void {}

  readinessUnreadable(node: CodeNode): void {
    this.unreadable.inc({ node: node.id })
  }
  holdChanged(): void {}

  drillMoved(move: DrillMove): void {
    this.drills.moved(move)
  }

  drillRequestEnded(home: RegionId, group: DrillGroup, failed: boolean): void {
    this.drills.requestEnded(home, group, failed)
  }

  /** Takes a departed node's lines out; series never expire by themselves. */
  forget(node: CodeNode): void {
    this.attempts.drop(this.ended.get(node.id)?.values() ?? [])
    this.started.drop(this.begun.get(node.id)?.values() ?? [])
    for (const state of ['open', 'half-open', 'closed']) this.breakerMoves.remove(node.id, state)
    this.unreadable.remove(node.id)
    this.ended.delete(node.id)
    this.begun.delete(node.id)
  }

  breakerChanged(node: CodeNode, state: string): void {
    this.breakerMoves.inc({ node: node.id, state })
  }

  internalError(): void {
    this.internalErrors.inc()
  }

  snapshotApplied(version: number): void {
    this.version.set(version)
  }

  reloadRefused(what: string): void {
    this.reloads.inc({ what })
  }

  registryLost(): void {
    this.registryUp.set(0)
  }

  registryBack(): void {
    this.registryUp.set(1)
  }

  catalogueLost(datacenter: string): void {
    this.catalogues.lost(datacenter)
  }

  catalogueRead(datacenter: string, nodes: number): void {
    this.catalogues.read(datacenter, nodes)
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  private tally(name: string, help: string, labelNames: string[]): Tally {
    return new Tally(this.registry, name, help, labelNames)
  }

  private inFlightOf(home: Home): { count: number } {
    let line = this.inFlight.get(home.region.code)
    if (line === undefined) {
      line = { count: 0 }
      this.inFlight.set(home.region.code, line)
    }
    return line
  }

  private seriesOf(home: Home, level: Level | null): Series {
    const known = level === null ? undefined : this.series.get(level)
    if (known !== undefined) return known
    const labels = [home.region.code, level?.name ?? 'none', level?.region ?? 'none'] as const
    const name = labels.join(' ')
    let series = this.seriesByName.get(name)
    if (series === undefined) {
      const helped = level !== null && level.name !== 'local'
      series = {
        labels,
        seconds: this.durationOf(labels[0], labels[1]),
        outcomes: new Map(),
        failovers: helped ? this.failovers.line(...labels) : null,
      }
      this.seriesByName.set(name, series)
    }
    if (level !== null) this.series.set(level, series)
    return series
  }

  /** Neighbours of one home share a line: which of them answered is in the counter. */
  private durationOf(home: string, level: string): DurationLine {
    const name = `${home} ${level}`
    const known = this.durationLines.get(name)
    if (known !== undefined) return known
    const line = this.durations.line({ home, level })
    this.durationLines.set(name, line)
    return line
  }
}
