// Follows what stands under one prefix by blocking queries, and tells when it has changed, or can't be told of any more.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs, Pace } from '../../../policy/pace.ts'
import type { ConsulConnection, Followed } from './connection.ts'
import type { Row } from './wire.ts'

/** A prefix that churns is asked for no oftener; the last change is seen a quarter of a second late at the most. */
export const watchPace = { burst: 8, ratePerSecond: 4 }
const afterFailure = { firstMs: 250, mostMs: 5000 }

export interface Told {
  /** Also once at the beginning, since what was read before may have been older, and once after it was lost. */
  readonly changed: () => void
  /** Once for each time that it is lost. */
  readonly lost: (cause: unknown) => void
}

/** Runs until `signal` aborts; never rejects. */
export const followPrefix = (
  connection: Pick<ConsulConnection, 'follow'>,
  prefix: string,
  told: Told,
  signal: AbortSignal,
): Promise<void> =>
  followIndexed(
    (index) => connection.follow(prefix, index, signal),
    digest,
    { changed: () => told.changed(), lost: told.lost },
    signal,
  )

export interface ToldOf<T> {
  /** Also once at the beginning, and once after it was lost. */
  readonly changed: (value: T) => void
  /** Once for each time that it is lost. */
  readonly lost: (cause: unknown) => void
}

/**
 * Blocking queries without end, one after the other: paced, backed off, from 0 after any failure.
 * @param digestOf The same for contents that are the same.
 */
export async function followIndexed<T>(
  ask: (index: bigint) => Promise<Followed<T>>,
  digestOf: (value: T) => string,
  { changed, lost }: ToldOf<T>,
  signal: AbortSignal,
): Promise<void> {
  const pace = new Pace(watchPace, performance.now())
  let index = 0n
  let seen: string | null = null
  let failures = 0
  while (!signal.aborted) {
    try {
      await pause(pace.take(performance.now()), signal)
      const answer = await ask(index)
      index = nextIndex(index, answer.index)
      const contents = digestOf(answer.value)
      const isNews = failures > 0 || contents !== seen
      seen = contents
      failures = 0
      if (isNews && !signal.aborted) changed(answer.value)
    } catch (cause) {
      if (signal.aborted) return
      // Whoever comes back may be another, or the same with other data: ask it for all that it has.
      index = 0n
      failures += 1
      if (failures === 1) lost(cause)
      await pause(backoffMs(afterFailure, failures, Math.random()), signal).catch(() => {})
    }
  }
}

/**
 * Where to wait from. An index that went back is of other data, restored or begun anew: waiting from the old one would
 * be to wait for ever.
 */
export const nextIndex = (before: bigint, given: bigint): bigint => (given < before ? 0n : given)

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  if (ms > 0) await sleep(ms, undefined, { signal, ref: false })
}

/** The index alone moves for others' keys too, where nothing stands under the prefix. */
function digest(rows: readonly Row[]): string {
  const hash = createHash('sha256')
  for (const { key, text, session } of rows) {
    hash.update(`${key.length}:${key}${text.length}:${text}${session ?? ''};`)
  }
  return hash.digest('base64')
}
