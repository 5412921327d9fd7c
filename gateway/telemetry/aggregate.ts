// What several processes of one gateway counted, as one: how each metric is put together, and the text of the sum.
import { AggregatorRegistry, type Registry } from 'prom-client'
import { z } from 'zod'

/**
 * How the workers' values of a gauge become one. Not listed: the sum (requests, streams and connections that are open).
 *
 * - `chiyuan_node_up` max: workers probe the same node one by one, so one worker's bad probe against another's good one
 *   says more about the worker; and a new worker's -1 gives way to what the others know.
 * - `chiyuan_node_breaker`, `chiyuan_node_held` max: each worker's breaker is true for that worker's residents, so the
 *   worst is shown: a mean of 0, 1 and 2 is no state, and the best would hide that some residents lost a node.
 * - `chiyuan_node_not_ready_homes` max: the node says it to each; the worst is the latest word or nearly so.
 * - p99 max: quantiles can't be added; the worst is what some residents meet. Ramp average: it is a share of all residents.
 * - Residents: the sum is only the upper bound, since one may come to several workers; see {@link withGauge}.
 * - Registry min: lost for one is worth a look. Version min: the oldest view in force.
 */
export const gaugeRules: Readonly<Record<string, 'sum' | 'max' | 'min' | 'average'>> = {
  chiyuan_node_up: 'max',
  chiyuan_node_breaker: 'max',
  chiyuan_node_held: 'max',
  chiyuan_node_not_ready_homes: 'max',
  chiyuan_node_in_flight: 'sum',
  chiyuan_node_limit: 'sum',
  chiyuan_node_latency_p99_seconds: 'max',
  chiyuan_node_ramp: 'average',
  chiyuan_requests_in_flight: 'sum',
  chiyuan_requests_waiting: 'sum',
  chiyuan_protection_level: 'max',
  chiyuan_mode: 'max',
  chiyuan_drill_phase: 'max',
  chiyuan_residents_active: 'sum',
  chiyuan_requests_per_resident: 'max',
  chiyuan_streams: 'sum',
  chiyuan_connections: 'sum',
  chiyuan_registry_up: 'min',
  chiyuan_discovery_up: 'min',
  chiyuan_discovery_nodes: 'max',
  chiyuan_snapshot_version: 'min',
  // The primary's: when this gateway was started.
  process_start_time_seconds: 'min',
}

const metric = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  aggregator: z.string(),
  values: z.array(
    z.object({
      // A value that is no number, such as a mean of nothing, is null in JSON.
      value: z.number().nullable(),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
      metricName: z.string().optional(),
    }),
  ),
})
const copy = z.array(metric)

/** All metrics of one process at one moment. */
export type MetricsCopy = z.output<typeof copy>

/** A copy as text, to be sent to another process. */
export const copyOf = async (registry: Registry): Promise<string> =>
  JSON.stringify(await registry.getMetricsAsJSON())

/** @throws {z.ZodError} for what no `copyOf` wrote. */
export function readCopy(text: string): MetricsCopy {
  const json: unknown = JSON.parse(text)
  const metrics = copy.parse(json)
  for (const one of metrics) {
    one.aggregator = gaugeRules[one.name] ?? one.aggregator
    one.values = one.values.filter(({ value }) => value !== null)
  }
  return metrics
}

/** What only grows, and so must outlive the process that counted it. */
export const countsOf = (metrics: MetricsCopy): MetricsCopy =>
  metrics.filter(({ type }) => type === 'counter' || type === 'histogram')

/** What stays true of a process that does not answer: its counts, and what is open in it. Its opinions of nodes do not. */
export const sumsOf = (metrics: MetricsCopy): MetricsCopy =>
  metrics.filter(({ aggregator }) => aggregator === 'sum')

/** Several copies as one. */
export async function merged(copies: readonly MetricsCopy[]): Promise<MetricsCopy> {
  return copy.parse(await AggregatorRegistry.aggregate([...copies]).getMetricsAsJSON())
}

/** The text that Prometheus reads. */
export const textOf = (copies: readonly MetricsCopy[]): Promise<string> =>
  AggregatorRegistry.aggregate([...copies]).metrics()

/**
 * The copies with one gauge by home replaced, where the workers' values can't tell that of all.
 * @param valueOf The value of a home that some copy names.
 */
export function withGauge(
  copies: readonly MetricsCopy[],
  name: string,
  valueOf: (home: string) => number,
): MetricsCopy[] {
  const told = copies.flatMap((metrics) => metrics.filter((one) => one.name === name))
  const [first] = told
  if (first === undefined) return [...copies]
  const homes = new Set(told.flatMap(({ values }) => values.map(({ labels }) => String(labels['home']))))
  const values = [...homes].map((home) => ({ value: valueOf(home), labels: { home } }))
  const others = copies.map((metrics) => metrics.filter((one) => one.name !== name))
  return [[{ ...first, values }], ...others]
}
