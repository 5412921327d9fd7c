// What a primary and its workers tell each other, checked on arrival.
import { z } from 'zod'
import { configSchema } from '../../config/schema.ts'
import { happeningSchema } from '../admin/schemas/events.ts'
import { drillsToldSchema } from '../control/drills/measures-record.ts'
import { readingsSchema } from '../admin/schemas/readings.ts'
import { ratesSchema, toldSharesSchema } from './told-shares.ts'

const start = z.object({
  type: z.literal('start'),
  /** Number of the worker's place, from 1; the same for whoever replaces it. */
  worker: z.int().min(1),
  /** Workers in all. */
  workers: z.int().min(1),
  /** What the primary has checked already. */
  config: configSchema,
  /** Its parts of the donors' pledges at the start. */
  shares: toldSharesSchema,
})

export const toWorker = z.discriminatedUnion('type', [
  start,
  z.object({ type: z.literal('reload'), config: configSchema }),
  /** Asks for a copy of all metrics. */
  z.object({ type: z.literal('copy-please'), id: z.int() }),
  /** Asks for what it measures now. */
  z.object({ type: z.literal('state-please'), id: z.int() }),
  /** Asks for what it measures of drills. */
  z.object({ type: z.literal('drills-please'), id: z.int() }),
  z.object({ type: z.literal('shares'), shares: toldSharesSchema }),
  z.object({ type: z.literal('drain') }),
])
export type ToWorker = z.output<typeof toWorker>
export type StartOrder = z.output<typeof start>

const failed = z.object({
  type: z.literal('failed'),
  message: z.string(),
  stack: z.string(),
  /** Its words are meant for the person who started the gateway. */
  forPerson: z.boolean(),
  /** The system's code and the port, where a listener failed. */
  code: z.string().optional(),
  port: z.number().optional(),
})
export type Failed = z.output<typeof failed>

/** 4096 bytes in base64. */
const registersLength = 5464

const residents = z.object({
  /** Number of the window, the same in all processes. */
  window: z.number(),
  /** By home's code. */
  homes: z.record(
    z.string(),
    z.object({ registers: z.base64().length(registersLength), requests: z.int().min(1) }),
  ),
})
export type ResidentsTold = z.output<typeof residents>

export const fromWorker = z.discriminatedUnion('type', [
  /** Runs and waits for its start order. */
  z.object({ type: z.literal('hello') }),
  /** Serves residents. */
  z.object({ type: z.literal('ready'), publicPort: z.number() }),
  failed,
  /** Once a second: alive, and what is amiss. */
  z.object({ type: z.literal('pulse'), warnings: z.array(z.string()) }),
  /** All metrics, as text that only a scrape reads; `id` where it was asked for. */
  z.object({
    type: z.literal('copy'),
    id: z.int().nullable(),
    body: z.string(),
    /** The last full window's, told once. */
    residents: residents.nullable(),
  }),
  /** What it measures now, as it was asked. */
  z.object({ type: z.literal('state'), id: z.int(), readings: readingsSchema }),
  /** What operators are to see. `lost`: so many before it were given up while the primary took nothing. */
  z.object({ type: z.literal('event'), happening: happeningSchema, lost: z.int().min(0) }),
  /** What it measures of drills, as it was asked. */
  z.object({ type: z.literal('drills'), id: z.int(), drills: drillsToldSchema }),
  z.object({ type: z.literal('demand'), demands: ratesSchema, inUse: ratesSchema, told: z.int().min(0) }),
])
export type FromWorker = z.output<typeof fromWorker>
