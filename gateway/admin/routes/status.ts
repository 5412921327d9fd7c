// /status, /gateways and /events: what is, at a glance, and what has just happened.
import { once } from 'node:events'
import type { Response } from 'express'
import { z } from 'zod'
import type { Delivery } from '../../model/happening.ts'
import { statusOf } from '../../policy/status.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { operatorEventSchema } from '../schemas/events.ts'
import { gatewayReadingsSchema } from '../schemas/readings.ts'
import { statusSchema } from '../schemas/status.ts'

/** Streams open at once; each costs a connection. */
const followersAtMost = 100
/** So often something is said where nothing happens, ms: whatever stands between does not take it for dead. */
const heartbeatMs = 15_000

export function statusRoutes(plane: Plane): AdminRoute[] {
  const followers = { open: 0 }
  return [
    { path: '/status', methods: { get: status(plane) } },
    { path: '/gateways', methods: { get: gateways(plane) } },
    { path: '/events', methods: { get: stream(plane, followers) } },
    { path: '/events/recent', methods: { get: recent(plane) } },
  ]
}

const status = (plane: Plane) =>
  operation({
    summary: 'The federation at a glance: each region’s state, nodes, levels and traffic',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: statusSchema.meta({ id: 'Status' }) },
    handle: async () => ({ body: statusOf(await plane.measured.read(), plane.snapshot()) }),
  })

const gateways = (plane: Plane) =>
  operation({
    summary: 'The gateways of this federation that are known',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: z.object({ items: z.array(gatewayReadingsSchema) }) },
    handle: async () => ({ body: { items: [(await plane.measured.read()).gateway] } }),
  })

const recent = (plane: Plane) =>
  operation({
    summary: 'The last events, oldest first',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: z.object({ items: z.array(operatorEventSchema) }) },
    handle: () => ({ body: { items: plane.events.recent() } }),
  })

const stream = (plane: Plane, followers: { open: number }) =>
  operation({
    summary: 'Events as they happen, as server-sent events',
    description:
      'Each message has the event’s id and kind, and the event as JSON, as `/events/recent` has it. `Last-Event-ID` goes ' +
      'on where a stream broke; a message of kind `gap` says that events are missing before the next.',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: z.string(), type: 'text/event-stream' },
    handle: ({ request, signal }) => {
      if (followers.open >= followersAtMost) {
        throw new Problem(
          'unavailable',
          `${followersAtMost} streams are open already; close one, or ask again later`,
          {
            headers: { 'Retry-After': '30' },
          },
        )
      }
      const after = request.get('last-event-id') ?? null
      return {
        headers: { 'X-Accel-Buffering': 'no' },
        write: async (response) => {
          followers.open += 1
          try {
            await tell(plane.events.follow(after, signal), response)
          } finally {
            followers.open -= 1
          }
        },
      }
    },
  })

async function tell(deliveries: AsyncIterable<Delivery>, response: Response): Promise<void> {
  response.set('Content-Type', 'text/event-stream; charset=utf-8')
  response.flushHeaders()
  response.write(': events follow\n\n')
  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs)
  try {
    for await (const delivery of deliveries) {
      if (!response.write(messageOf(delivery))) await drained(response)
    }
    response.end()
  } finally {
    clearInterval(heartbeat)
  }
}

const messageOf = (delivery: Delivery): string =>
  delivery.type === 'gap'
    ? `event: gap\ndata: ${JSON.stringify({ missed: delivery.missed })}\n\n`
    : `id: ${delivery.event.id}\nevent: ${delivery.event.happening.kind}\ndata: ${JSON.stringify(delivery.event)}\n\n`

async function drained(response: Response): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  over.abort()
}
