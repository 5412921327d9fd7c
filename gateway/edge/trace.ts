// Names for requests: a request id and a W3C trace context, kept where one came in and begun where none did.
import { randomBytes } from 'node:crypto'

const processPart = randomBytes(12).toString('hex')
let counter = randomBytes(4).readUInt32BE()

/** 32 hex digits, unique to this process and request. */
export function newTraceId(): string {
  counter = (counter + 1) >>> 0
  return processPart + counter.toString(16).padStart(8, '0')
}

const wellFormed = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** W3C Trace Context, level 1: kept as it is where it is well formed, else a new, unsampled one. */
export const traceparentFor = (received: string | null, traceId: string): string =>
  received !== null && wellFormed.test(received) ? received : `00-${traceId}-${traceId.slice(16)}-00`

const usableId = /^[A-Za-z0-9._:-]{1,128}$/

export const requestIdFor = (received: string | null, traceId: string): string =>
  received !== null && usableId.test(received) ? received : traceId
