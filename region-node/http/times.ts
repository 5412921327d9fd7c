// Times in requests and answers: ISO 8601, in requests with their offset.
import { z } from 'zod'

// A sender's clock may be ahead of ours by this much.
const CLOCK_LEEWAY_MS = 5 * 60_000

export const isoTime = (ms: number): string => new Date(ms).toISOString()
export const isoTimeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms))

/** Reads into Unix milliseconds. @param clock Unix milliseconds; what is told of can't have happened later. */
export const pastTimeSchema = (clock: () => number) =>
  z.iso
    .datetime({
      offset: true,
      abort: true,
      error: 'must be an ISO 8601 time with its offset, such as 2022-01-04T09:00:00+08:00',
    })
    .transform((time) => Date.parse(time))
    .refine((timeMs) => timeMs <= clock() + CLOCK_LEEWAY_MS, { error: 'must not be in the future' })
