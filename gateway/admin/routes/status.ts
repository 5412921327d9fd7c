// /status and /events: what is, at a glance, and what has just happened.
import type { Response } from 'express'
import { z } from 'zod'
import type { Delivery } from '../../model/happening.ts'
import { statusOf } from '../../policy/status.ts'
import { drained } from '../drained.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { Problem } from '../problem.ts'
import { operatorEventSchema } from '../schemas/events.ts'
import { statusSchema } from '../schemas/status.ts'

/** Streams open at once, and those of one operator; each costs a connection. */
const followersAtMost = 100
const ofOneAtMost = 20
const eventStream = 'text/event-stream; charset=utf-8'

/**
 * So often something is said where nothing happens, ms: whatever stands between does not take it for dead. So long at the
 * most a stream outlives its token.
 */
const heartbeatMs = 15_000

export function statusRoutes(plane: Plane): AdminRoute[] {
  const followers = new Followers()
  return [
    { path: '/status', methods: { get: status(plane) } },
    { path: '/events', methods: { get: stream(plane, followers) } },
    { path: '/events/recent', methods: { get: recent(plane) } },
  ]
}

const status = (plane: Plane) =>
  operation({
    summary: 'The federation at a glance: each region’s state, nodes, levels and traffic',
    work: 4,
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: statusSchema.meta({ id: 'Status' }) },
    handle: async () => ({ body: statusOf(await plane.measured.read(), plane.snapshot()) }),
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

const stream = (plane: Plane, followers: Followers) =>
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
    handle: ({ operator, request, signal, stillIn }) => {
      followers.mustHaveRoom(operator.id)
      const after = request.get('last-event-id') ?? null
      // Asked for the head alone, nobody follows.
      if (request.method === 'HEAD') return { headers: { 'Content-Type': eventStream } }
      return {
        headers: { 'X-Accel-Buffering': 'no' },
        write: async (response) => {
          const left = followers.come(operator.id)
          const over = new AbortController()
          const either = AbortSignal.any([signal, over.signal])
          try {
            await tell(plane.events.follow(after, either), response, { stillIn, over })
          } finally {
            left()
          }
        },
      }
    },
  })

/** Who follows, so that nobody takes every place. */
class Followers {
  private readonly open = new Map<string, number>()

  /** @throws {Problem} `unavailable` */
  mustHaveRoom(operatorId: string): void {
    const all = [...this.open.values()].reduce((sum, count) => sum + count, 0)
    const own = this.open.get(operatorId) ?? 0
    const full = own >= ofOneAtMost ? `${ofOneAtMost} of yours` : all >= followersAtMost ? `${all}` : null
    if (full === null) return
    throw new Problem('unavailable', `${full} streams are open already; close one, or ask again later`, {
      headers: { 'Retry-After': '30' },
    })
  }

  /** @returns To be called when it has left. */
  come(operatorId: string): () => void {
    this.open.set(operatorId, (this.open.get(operatorId) ?? 0) + 1)
    return () => {
      const rest = (this.open.get(operatorId) ?? 1) - 1
      if (rest > 0) this.open.set(operatorId, rest)
      else this.open.delete(operatorId)
    }
  }
}

interface Admitted {
  readonly stillIn: () => Promise<boolean>
  /** Ends the stream. */
  readonly over: AbortController
}

async function tell(
  deliveries: AsyncIterable<Delivery>,
  response: Response,
  { stillIn, over }: Admitted,
): Promise<void> {
  response.set('Content-Type', eventStream)
  response.flushHeaders()
  response.write(': events follow\n\n')
  const beat = async (): Promise<void> => {
    if (!(await stillIn())) over.abort()
    // Nothing is piled up for whoever does not read.
    else if (!response.writableNeedDrain) response.write(': still here\n\n')
  }
  const heartbeat = setInterval(() => void beat().catch(() => over.abort()), heartbeatMs)
  try {
    for await (const delivery of deliveries) {
      if (!(await stillIn())) break
      if (!response.write(messageOf(delivery))) await drained(response, over.signal)
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
