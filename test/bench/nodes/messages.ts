// What the harness and a fault node say to each other.
import { z } from 'zod'

export interface Behaviour {
  /** Time that a request takes once it is begun, ms; 5 where not told. */
  readonly serviceMs?: number
  /** That time is drawn evenly from so much below to so much above; 0 to 1. Seeded, so that runs compare. */
  readonly jitterShare?: number
  /** Requests worked on at once, the others wait in a queue without bound; no limit where not told. */
  readonly slots?: number
  /** Share of requests answered with 500, 0 to 1. */
  readonly errorShare?: number
  /** Share of requests whose connection is reset, 0 to 1. */
  readonly resetShare?: number
  /** Remember when each request came and was done. */
  readonly keepsSpans?: boolean
}

export type ToNode =
  | { readonly do: 'listen'; readonly port: number }
  | ({ readonly do: 'behave' } & Behaviour)
  | { readonly do: 'count' }

const figures = z.object({
  /** Requests that came, probes aside. */
  served: z.number(),
  /** Of these, those that were worked on to the end, whether or not somebody still listened. */
  done: z.number(),
  /** Time in the queue of those begun, ms. */
  waitedMeanMs: z.number(),
  waitedMostMs: z.number(),
  /** Most requests in the node at once, in the queue or at work. */
  openMost: z.number(),
  /** From and to, ms of the common clock; empty where they are not kept. */
  spans: z.array(z.tuple([z.number(), z.number()])),
})
export type NodeFigures = z.output<typeof figures>

export const fromNode = z.discriminatedUnion('is', [
  z.object({ is: z.literal('idle') }),
  z.object({ is: z.literal('listening') }),
  z.object({ is: z.literal('counted'), figures }),
])
export type FromNode = z.output<typeof fromNode>
