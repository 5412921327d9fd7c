// What regions say to each other about residents: pages of home's feed, and what a stand-in took for home.
import { z } from 'zod'
import { codeStatusSchema, testResultSchema } from '../resident.ts'
import type { CodeStatus, TestResult } from '../resident.ts'
import type { FeedEntry, FeedPosition } from '../store/feed.ts'
import { termsSchema } from './terms.ts'
import type { Terms } from './terms.ts'

/** Rows of a page. 5,000 are 0.2 MB compressed, and 20 ms of a donor's time. */
export const mostEntries = 5_000
/** Entries of a journal handed over at once: they fit a body of 64 KiB. */
export const mostWrites = 100

/** With it a donor says whose row stands at the place from which it asks for a page. */
export const lastHeader = 'chiyuan-last-resident'

export const tokenSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'a token of 22 characters')
const uuidSchema = z.uuid()
const timeSchema = z.int().min(-8_640_000_000_000).max(8_640_000_000_000_000)
const placeSchema = z.object({
  epoch: z.int().min(1),
  seq: z.int().min(0),
})

// An array, not an object: half the bytes, and a third of the time to read.
const rowSchema = z.tuple([
  tokenSchema,
  codeStatusSchema,
  timeSchema,
  timeSchema.nullable(),
  testResultSchema.nullable(),
  z.int().min(1),
  z.int().min(1),
])

type Row = [string, CodeStatus, number, number | null, TestResult | null, number, number]

export const rowOf = (entry: FeedEntry, { fields }: Pick<Terms, 'fields'>): Row => [
  entry.residentToken,
  entry.status,
  entry.updatedAtMs,
  fields.includes('testTime') ? entry.testTimeMs : null,
  fields.includes('testResult') ? entry.testResult : null,
  entry.epoch,
  entry.seq,
]

const entryOf = (
  home: string,
  [token, status, updatedAtMs, testTimeMs, testResult, epoch, seq]: Row,
): FeedEntry => ({
  residentToken: token,
  homeRegion: home,
  status,
  updatedAtMs,
  testTimeMs,
  testResult,
  epoch,
  seq,
})

const pageSchema = z.object({
  home: z.string(),
  terms: termsSchema,
  /** Where home's feed ended when this was read. */
  head: placeSchema,
  /** How long home held the request before it read its feed, ms. */
  heldMs: z.number().min(0),
  rows: z.array(rowSchema).max(mostEntries),
})

export interface Page {
  readonly home: string
  readonly terms: Terms
  readonly head: FeedPosition
  readonly heldMs: number
  readonly entries: readonly FeedEntry[]
}

/** @throws {z.ZodError} */
export function readPage(value: unknown): Page {
  const { rows, ...page } = pageSchema.parse(value)
  return { ...page, entries: rows.map((row) => entryOf(page.home, row)) }
}

const taken = {
  recordId: uuidSchema,
  residentToken: tokenSchema,
  /** The place of the resident's row in home's feed on which the stand-in acted. */
  basis: placeSchema,
}

export const writeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('test'),
    ...taken,
    result: testResultSchema,
    sampledAtMs: timeSchema,
    reportedAtMs: timeSchema,
    laboratory: z.string().min(1).max(100).nullable(),
  }),
  z.strictObject({
    kind: z.literal('registration'),
    ...taken,
    siteId: z.string().min(1).max(64),
    tubeId: z.string().min(1).max(64).nullable(),
    registeredAtMs: timeSchema,
    receivedAtMs: timeSchema,
  }),
])

/** What a stand-in took for home. */
export type TakenWrite = z.infer<typeof writeSchema>

export const handoverSchema = z.strictObject({ writes: z.array(writeSchema).min(1).max(mostWrites) })

/** What became of one: `known`: home had it already. `review`: it is in, and a person should look at it. */
const receiptSchema = z.object({
  recordId: uuidSchema,
  outcome: z.enum(['merged', 'known', 'review', 'unknown-resident']),
  /** The resident as home has it now; null where home knows none. */
  row: rowSchema.nullable(),
})

const handoverAnswerSchema = z.object({
  home: z.string(),
  head: placeSchema,
  receipts: z.array(receiptSchema).max(mostWrites),
})

export type ReceiptAnswer = z.input<typeof receiptSchema>

export interface Receipt {
  readonly recordId: string
  readonly outcome: ReceiptAnswer['outcome']
  readonly entry: FeedEntry | null
}

/** @throws {z.ZodError} */
export function readReceipts(value: unknown): { head: FeedPosition; receipts: Receipt[] } {
  const { home, head, receipts } = handoverAnswerSchema.parse(value)
  return {
    head,
    receipts: receipts.map(({ recordId, outcome, row }) => ({
      recordId,
      outcome,
      entry: row && entryOf(home, row),
    })),
  }
}
