// Takes in what is said of a resident: once for each Idempotency-Key, and never lost once acknowledged.
import { createHash, randomUUID } from 'node:crypto'
import { lastingId, residentById } from './find-resident.ts'
import { isWriterOf } from './freshness.ts'
import type { TakenWrite } from './replication/wire.ts'
import type { Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import type { SigningFault } from './authority/authority.ts'
import type { FeedPosition } from './store/feed.ts'
import { uuidOf } from './uuid.ts'

/** What is asked for, as the digest of its Idempotency-Key remembers it. */
export interface Submission {
  readonly operation:
    | 'test'
    | 'registration'
    | 'declaration'
    | 'correction'
    | 'paper-code'
    | 'family-code'
    | 'loss'
  readonly residentId: string
  /** Undefined: each request is taken for a new one. */
  readonly idempotencyKey: string | undefined
  /** The meaning, not the text: other spacing or order of fields is the same request. Plain JSON. */
  readonly content: readonly unknown[]
  /** Whether a node that stands in for the resident's home must leave it to home. */
  readonly homeOnly: boolean
}

/** `body` is the JSON text to answer with; a replay's is, to the byte, the first answer's. */
export type Recorded =
  | { outcome: 'recorded' | 'replayed'; body: string }
  | { outcome: 'key-reused' }
  | Refusal

export type Refusal =
  | { outcome: 'unknown-resident' }
  /** `copy-not-fit`: the copy is not whole and has not come to that resident, or is being given up. */
  | { outcome: 'home-only' | 'not-the-writer' | 'copy-not-fit'; homeRegion: string }
  | { outcome: 'cannot-sign'; reason: SigningFault; homeRegion: string }

export interface Moment {
  /** Unix milliseconds. */
  readonly nowMs: number
  /**
   * A UUID for what is recorded. What backups take too has it made of key and request: a client whom home had
   * heard, but could not answer, sends it to a backup, and what both recorded can be merged as one.
   */
  readonly recordId: string
}

/**
 * Resolves when all is on disk. A refusal is not kept: the same key works once the request is right.
 *
 * @param write Stores it and gives the receipt to answer with; runs in the transaction that keeps the answer.
 */
export async function recordOnce(
  service: CodeService,
  submission: Submission,
  write: (resident: Resident, moment: Moment) => object,
): Promise<Recorded> {
  const { answers } = service.store
  const { idempotencyKey, residentId, homeOnly } = submission
  const record = (): Recorded => {
    const nowMs = service.clock()
    const requestDigest = digestOf(submission)
    const earlier = idempotencyKey === undefined ? undefined : answers.find(idempotencyKey, nowMs)
    if (earlier) {
      if (earlier.requestDigest !== requestDigest) return { outcome: 'key-reused' }
      return { outcome: 'replayed', body: earlier.body }
    }
    const recordId =
      homeOnly || idempotencyKey === undefined ? randomUUID() : recordIdOf(requestDigest, idempotencyKey)
    const resident = findResident(service, residentId, homeOnly)
    const body = JSON.stringify(write(resident, { nowMs, recordId }))
    if (idempotencyKey !== undefined) answers.add(idempotencyKey, { requestDigest, body }, nowMs)
    return { outcome: 'recorded', body }
  }
  try {
    return await service.store.write(record)
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

/** Thrown in the middle of a write, which undoes it. */
class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.outcome)
    this.refusal = refusal
  }
}

/** For writes that {@link recordOnce} runs: undoes them. @throws {Refused} */
export function refuse(refusal: Refusal): never {
  throw new Refused(refusal)
}

/**
 * For writes that {@link recordOnce} runs.
 *
 * @param homeOnly Whether the resident's home must be this node's region.
 * @throws {Refused}
 */
export function findResident(service: CodeService, residentId: string, homeOnly: boolean): Resident {
  const resident = residentById(service, residentId)
  if (!resident) {
    const partial = service.copies.all().find(({ facts }) => !facts.whole)
    return refuse(
      partial === undefined
        ? { outcome: 'unknown-resident' }
        : { outcome: 'copy-not-fit', homeRegion: partial.home },
    )
  }
  const { homeRegion } = resident
  const followed = service.copies.find(homeRegion)
  // Without terms it is being forgotten: what were taken now would be left behind.
  if (followed !== undefined && followed.facts.terms === undefined)
    return refuse({ outcome: 'copy-not-fit', homeRegion })
  if (homeOnly && !isWriterOf(service, homeRegion)) {
    const outcome = homeRegion === service.regionCode ? 'not-the-writer' : 'home-only'
    return refuse({ outcome, homeRegion })
  }
  return resident
}

/** Writes a resident's new state: as home's own decision, or on a copy that home knows nothing of yet. */
export function updateResident(service: CodeService, changed: Resident): void {
  if (isWriterOf(service, changed.homeRegion)) service.store.residents.update(changed)
  else service.store.residents.updateCopy(changed)
}

/** Keeps what was taken for another home, until it is there. To be called before the copy is changed. */
export function journalFor(
  service: CodeService,
  { homeRegion, residentToken }: Resident,
  writeOn: (basis: FeedPosition) => TakenWrite,
): void {
  if (isWriterOf(service, homeRegion)) return
  const { copies, journal } = service.store
  const basis = copies.placeOf(residentToken)
  if (basis !== undefined) journal.add(homeRegion, writeOn(basis))
}

const digestOf = ({ operation, residentId, content }: Submission): string =>
  createHash('sha256')
    .update(JSON.stringify([operation, lastingId(residentId), ...content]))
    .digest('base64url')

const recordIdOf = (requestDigest: string, idempotencyKey: string): string =>
  uuidOf(createHash('sha256').update(`${requestDigest}|${idempotencyKey}`).digest())
