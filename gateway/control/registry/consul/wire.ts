// What Consul's key-value API takes and gives, and the records that we keep in it.
import { z } from 'zod'
import type { RegistryRecord } from '../port.ts'

/** One operation of a transaction. `Index`: the one that the key must still have; 0: it must not exist. */
export interface TransactionOperation {
  readonly KV:
    | { readonly Verb: 'get' | 'get-tree' | 'delete'; readonly Key: string }
    | { readonly Verb: 'check-index'; readonly Key: string; readonly Index: number }
    | { readonly Verb: 'check-session'; readonly Key: string; readonly Session: string }
    | {
        readonly Verb: 'lock' | 'unlock'
        readonly Key: string
        readonly Session: string
        readonly Value: string
      }
    | { readonly Verb: 'cas'; readonly Key: string; readonly Index: number; readonly Value: string }
}

/** A key as it stands. */
export interface Row {
  readonly key: string
  readonly modifyIndex: number
  readonly text: string
  /** That holds it as a lock; else `null`. */
  readonly session: string | null
}

export type TransactionAnswer =
  /** What the reads found, in their order; what the token may not read is left out. */
  | { readonly ok: true; readonly rows: readonly Row[] }
  /** Nothing was done. `operation`: which one could not be, from 0. */
  | { readonly ok: false; readonly operation: number; readonly what: string }

const entry = z.object({
  Key: z.string(),
  ModifyIndex: z.int().min(0),
  Value: z.string().nullable(),
  Session: z.string().optional(),
})
const asRow = (
  { Key, ModifyIndex, Value, Session }: z.output<typeof entry>,
  text: (value: string) => string,
): Row => ({
  key: Key,
  modifyIndex: ModifyIndex,
  text: Value === null ? '' : text(Value),
  session: Session === undefined || Session === '' ? null : Session,
})

/** Rows as the client gives them: it has decoded the values already. */
export const rowsSchema = z.array(entry.transform((each) => asRow(each, (value) => value)))

const done = z.object({
  Results: z
    .array(z.object({ KV: entry.transform((each) => asRow(each, fromBase64)) }).transform(({ KV }) => KV))
    .nullable(),
})
const undone = z.object({ Errors: z.array(z.object({ OpIndex: z.int().min(0), What: z.string() })).min(1) })

/** @throws {z.ZodError} for what is no answer to a transaction. */
export function transactionAnswer(answer: unknown): TransactionAnswer {
  const refused = undone.safeParse(answer).data?.Errors[0]
  if (refused !== undefined)
    return { ok: false, operation: refused.OpIndex, what: refused.What.slice(0, 200) }
  return { ok: true, rows: done.parse(answer).Results ?? [] }
}

/** Consul's words for a key that is not there. */
export const isMissing = (what: string): boolean => what.includes("doesn't exist")
/** Consul's words for a key that has moved on since its index was read. */
export const isOvertaken = (what: string): boolean =>
  isMissing(what) || /index is stale|current modify index/.test(what)

const fromBase64 = (value: string): string => Buffer.from(value, 'base64').toString()

/** Versions count up from 1 by themselves: Consul's own indexes jump, and go back when a snapshot is restored. */
const envelope = z.strictObject({ version: z.int().min(1), value: z.unknown() })

/**
 * @param key Without our prefix.
 * @returns Version 0 and no value for what somebody else has put there: nothing matches it, so nothing overwrites it.
 */
export function recordOf(key: string, text: string): RegistryRecord {
  const read = envelope.safeParse(parsed(text)).data
  return read === undefined
    ? { key, value: undefined, version: 0 }
    : { key, value: read.value, version: read.version }
}

export const toValue = (version: number, value: unknown): string =>
  Buffer.from(JSON.stringify({ version, value })).toString('base64')

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
