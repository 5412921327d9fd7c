// What a scrape tells of each node.
import { Gauge, type Registry } from 'prom-client'
import type { CodeNode } from '../model/region.ts'

/** A node as a scrape shows it. */
export interface NodeReading {
  readonly node: CodeNode
  readonly health: 'up' | 'down' | 'unknown'
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly hold: string | null
  /** Homes served here that it says it can't answer for. */
  readonly notReadyFor: ReadonlySet<string>
  readonly inFlight: number
  readonly limit: number
  readonly p99Ms: number
  readonly ramp: number
}

/** Set anew at every scrape, so that a departed node leaves no line behind. */
export function gaugesOfNodes(registry: Registry, readNodes: () => Iterable<NodeReading>): void {
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
      registers: [registry],
      collect: () => {
        made.reset()
        for (const reading of readNodes())
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
  gauge(
    'chiyuan_node_not_ready_homes',
    'Homes that the node says it can’t answer for now.',
    ({ notReadyFor }) => notReadyFor.size,
  )
  gauge(
    'chiyuan_node_limit',
    'Requests that the node may have open: the least of what was declared, reported and learnt.',
    ({ limit }) => limit,
  )
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
