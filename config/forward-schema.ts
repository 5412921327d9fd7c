// The part of the schema that says which node a request is sent to, and when a second one is.
import { z } from 'zod'
import { count, ms, share } from './fields.ts'

export const selection = z.strictObject({
  rule: z
    .enum(['sticky', 'least-loaded'])
    .default('sticky')
    .describe(
      '`sticky`: a resident stays with a node (weighted rendezvous). `least-loaded`: the cheaper of two.',
    ),
  boundedLoad: z
    .number()
    .min(1)
    .max(10)
    .default(1.25)
    .describe('With `sticky`, a node takes at most this many times its fair share of open requests.'),
  triesPerLevel: count(1, 20, 2, 'Nodes of one level that a request tries before it looks further away.'),
  boundedLoadFloor: count(
    0,
    100_000,
    16,
    'Open requests on a node below which it is never passed over for load.',
  ),
})

export const attempts = z.strictObject({
  connectTimeoutMs: ms(10, 60_000, 1000, 'Deadline of a connection to a node.'),
  attemptTimeoutMs: ms(10, 600_000, 5000, 'Deadline of one try: until the answer is whole or passed on.'),
  totalTimeoutMs: ms(10, 600_000, 12_000, 'Deadline of all tries of a request together.'),
  idleTimeoutMs: ms(100, 3_600_000, 30_000, 'Longest pause inside an answer that is passed on as it comes.'),
  maxAttempts: count(1, 20, 8, 'Tries of one request, hedges included.'),
  retryStatuses: z
    .array(z.number().int().min(400).max(599))
    .default([429, 500, 502, 503, 504])
    .describe('Statuses after which another node is asked, where the request may be repeated.'),
  retryBudget: share(0, 1, 0.2, 'Retries afforded for each request of the last 10 s.'),
  retryFloorPerSecond: count(0, 10_000, 10, 'Retries afforded every second whatever the traffic.'),
  maxConnectionsPerNode: count(1, 100_000, 1024, 'Connections kept or open to one node.'),
})

export const hedging = z.strictObject({
  enabled: z.boolean().default(true).describe('Ask a second node when the first is slower than its own p99.'),
  budget: share(0, 1, 0.1, 'Hedges afforded for each request of the last 10 s.'),
  floorPerSecond: count(0, 10_000, 5, 'Hedges afforded every second whatever the traffic.'),
  minDelayMs: ms(1, 10_000, 10, 'Shortest wait before a hedge.'),
  maxDelayMs: ms(1, 60_000, 100, 'Longest wait before a hedge.'),
  minSamples: count(1, 100_000, 50, 'Answers after which a node is judged by its own p99.'),
})

export const standby = z.strictObject({
  warmShare: share(
    0,
    0.2,
    0,
    'Of requests that may be repeated, so many go to the next level although the nearest could serve them.',
  ),
})
