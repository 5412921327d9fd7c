// What is counted, for Prometheus. The only importer of prom-client. No resident, path or address is ever a label.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AttemptKind, Observer, Refusal, RequestOutcome } from '../model/events.ts'
import type { Outcome } from '../model/outcome.ts'
import type { CodeNode } from '../model/region.ts'
import type { Home, Level } from '../model/snapshot.ts'

/** A node as a scrape shows it. */
export interface NodeReading {
  readonly node: CodeNode
  readonly health: 'up' | 'down' | 'unknown'
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly hold: string | null
  readonly inFlight: number
  readonly p99Ms: number
  readonly ramp: number
}

export interface Readings {
  nodes(): Iterable<NodeReading>
  connections(): number
}

/** Requests of one home answered at one level: their children of the metrics, looked up once. */
interface Series {
  readonly seconds: { observe(value: number): void }
  readonly outcomes: Map<RequestOutcome, { inc(): void }>
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10]

export class Metrics implements Observer {
  readonly registry = new Registry()
  private readonly requests = new Counter({
    name: 'chiyuan_requests_total',
    help: 'Requests by home region, the level that answered and how they ended for the resident.',
    labelNames: ['home', 'level', 'region', 'outcome'],
    registers: [this.registry],
  })
  private readonly durations = new Histogram({
    name: 'chiyuan_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by home region and level.',
    labelNames: ['home', 'level'],
    buckets: seconds,
    registers: [this.registry],
  })
  private readonly failovers = this.counter(
    'chiyuan_failovers_total',
    'Requests answered by a level other than local.',
    ['home', 'level', 'region'],
  )
  private readonly refusals = this.counter(
    'chiyuan_refusals_total',
    'Requests and connections turned away, by reason.',
    ['reason'],
  )
  private readonly attempts = this.counter('chiyuan_attempts_total', 'Tries at nodes by how they ended.', [
    'node',
    'outcome',
  ])
  private readonly started = this.counter(
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
  private readonly reloads = this.counter(
    'chiyuan_reload_refused_total',
    'Reloads refused because of their content.',
    ['what'],
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
  private readonly series = new WeakMap<Home, Map<Level | null, Series>>()
  private readonly ended = new Map<string, Map<Outcome, { inc(): void }>>()
  private readonly begun = new Map<string, Map<AttemptKind, { inc(): void }>>()

  constructor(readings: Readings) {
    this.registryUp.set(1)
    collectDefaultMetrics({ register: this.registry })
    this.gaugeOfNodes(readings)
    const connections: Gauge = new Gauge({
      name: 'chiyuan_connections',
      help: 'Open client connections.',
      registers: [this.registry],
      collect: () => connections.set(readings.connections()),
    })
  }

  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome, durationMs: number): void {
    const series = this.seriesOf(home, level)
    series.seconds.observe(durationMs / 1000)
    let child = series.outcomes.get(outcome)
    if (child === undefined) {
      child = this.requests.labels(home.region.code, level?.name ?? 'none', level?.region ?? 'none', outcome)
      series.outcomes.set(outcome, child)
    }
    child.inc()
    if (level !== null && level.name !== 'local')
      this.failovers.inc({ home: home.region.code, level: level.name, region: level.region })
  }

  requestRefused(refusal: Refusal): void {
    this.refusals.inc({ reason: refusal })
  }

  attemptStarted(node: CodeNode, kind: AttemptKind): void {
    childOf(this.begun, node.id, kind, () => this.started.labels(node.id, kind)).inc()
  }

  attemptEnded(node: CodeNode, outcome: Outcome): void {
    childOf(this.ended, node.id, outcome, () => this.attempts.labels(node.id, outcome)).inc()
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

  /** Takes a departed node's lines out; series never expire by themselves. */
  forget(node: CodeNode): void {
    for (const outcome of this.ended.get(node.id)?.keys() ?? []) this.attempts.remove(node.id, outcome)
    for (const kind of this.begun.get(node.id)?.keys() ?? []) this.started.remove(node.id, kind)
    for (const state of ['open', 'half-open', 'closed']) this.breakerMoves.remove(node.id, state)
    this.ended.delete(node.id)
    this.begun.delete(node.id)
  }

  breakerChanged(node: CodeNode, state: string): void {
    this.breakerMoves.inc({ node: node.id, state })
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

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  private seriesOf(home: Home, level: Level | null): Series {
    let levels = this.series.get(home)
    if (levels === undefined) {
      levels = new Map()
      this.series.set(home, levels)
    }
    let series = levels.get(level)
    if (series === undefined) {
      series = {
        seconds: this.durations.labels(home.region.code, level?.name ?? 'none'),
        outcomes: new Map(),
      }
      levels.set(level, series)
    }
    return series
  }

  /** Set anew at every scrape, so that a departed node leaves no line behind. */
  private gaugeOfNodes(readings: Readings): void {
    const gauge = (
      name: string,
      help: string,
      read: (reading: NodeReading) => number,
      more: string[] = [],
    ): void => {
      const made: Gauge = new Gauge({
        name,
        help,
        labelNames: ['node', 'region', ...more],
        registers: [this.registry],
        collect: () => {
          made.reset()
          for (const reading of readings.nodes())
            made.set({ node: reading.node.id, region: reading.node.region }, read(reading))
        },
      })
    }
    gauge('chiyuan_node_up', 'Active probes: 1 up, 0 down, -1 not probed yet.', ({ health }) =>
      health === 'up' ? 1 : health === 'down' ? 0 : -1,
    )
    gauge('chiyuan_node_breaker', 'Breaker: 0 closed, 1 half open, 2 open.', ({ breaker }) =>
      breaker === 'closed' ? 0 : breaker === 'half-open' ? 1 : 2,
    )
    gauge('chiyuan_node_held', '1 while an operator holds the node.', ({ hold }) => (hold === null ? 0 : 1))
    gauge('chiyuan_node_in_flight', 'Requests open to the node.', ({ inFlight }) => inFlight)
    gauge(
      'chiyuan_node_latency_p99_seconds',
      'The node’s own p99, on which hedges wait.',
      ({ p99Ms }) => p99Ms / 1000,
    )
    gauge(
      'chiyuan_node_ramp',
      'Share of its residents that the node takes while it is ramped back.',
      ({ ramp }) => ramp,
    )
  }
}

function childOf<K, V>(children: Map<string, Map<K, V>>, node: string, key: K, make: () => V): V {
  let own = children.get(node)
  if (own === undefined) {
    own = new Map()
    children.set(node, own)
  }
  let child = own.get(key)
  if (child === undefined) {
    child = make()
    own.set(key, child)
  }
  return child
}
