// What the naive gateway counts, as prom-client's README shows it.
import client from 'prom-client'

client.collectDefaultMetrics()

export const requestDuration = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of requests',
  labelNames: ['method', 'status', 'upstream'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10],
})

export const upstreamErrors = new client.Counter({
  name: 'upstream_errors_total',
  help: 'Failed attempts at upstreams',
  labelNames: ['upstream', 'reason'],
})

export const { register } = client
