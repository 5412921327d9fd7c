// Home's side of replication: gives pages of its feed to those it agreed with, and takes in what they took for it.
import { mergeWrite } from './merge.ts'
import { agreementInForce, everAgreed, termsOf } from './terms.ts'
import type { Agreement, Terms } from './terms.ts'
import { mostEntries, rowOf } from './wire.ts'
import type { ReceiptAnswer, TakenWrite } from './wire.ts'
import type { CodeService } from '../service.ts'
import { isAfter } from '../store/feed.ts'
import type { FeedPosition } from '../store/feed.ts'
import { createTurnstile } from '../turnstile.ts'

/** Nodes of the home region itself follow it without an agreement. */
const ownTerms: Terms = {
  id: 'own-region',
  fields: ['testTime', 'testResult'],
  rpoSeconds: 2,
  maxAgeSeconds: 86_400,
  fromMs: 0,
  untilMs: 8_640_000_000_000_000,
}

export type PeerFault = 'no-agreement' | 'fenced'

export class HomeSide {
  readonly #service: CodeService
  readonly #agreements: (() => readonly Agreement[]) | null
  readonly #turn = createTurnstile()

  /**
   * @param agreements As they are now: read anew for each request. Null: this node was given none, and knows of no
   *   donor's whether it has one.
   */
  constructor(service: CodeService, agreements: (() => readonly Agreement[]) | null) {
    this.#service = service
    this.#agreements = agreements
  }

  /** Whether it can tell that `donor` has no agreement: one that has is told to forget its copy when it has not. */
  knowsOf(donor: string): boolean {
    return this.#agreements !== null || donor === this.#service.regionCode
  }

  /** On what terms `donor` may hold a copy now; null: on none. */
  termsFor(donor: string): Terms | null {
    const { regionCode, clock } = this.#service
    if (donor === regionCode) return ownTerms
    const agreement = agreementInForce(this.#agreements?.() ?? [], donor, clock())
    return agreement === undefined ? null : termsOf(agreement)
  }

  /** Whether what `donor` took may come home. */
  mayHandOver(donor: string): boolean {
    const { regionCode, clock } = this.#service
    return donor === regionCode || everAgreed(this.#agreements?.() ?? [], donor, clock())
  }

  /** Whether `place` is of a later epoch than this home's: it was replaced, and must not answer as home. */
  isFencedBy({ epoch }: FeedPosition): boolean {
    return epoch > this.#service.store.feed.head(this.#service.regionCode).epoch
  }

  /**
   * Whether the row that a donor has at `place` was ever there: rows only move on. In a later epoch than the donor's all
   * is read anew, whatever was there.
   *
   * @param last The resident whose row it is.
   */
  hasPlace(place: FeedPosition, last: string): boolean {
    const { store, regionCode } = this.#service
    if (store.feed.head(regionCode).epoch !== place.epoch) return true
    const now = store.copies.placeOf(last)
    return now !== undefined && !isAfter(place, now)
  }

  /**
   * The rows after `place`, waiting for one at most so long.
   *
   * @param signal Ends the waiting, for a donor that has gone or a node that stops.
   */
  async page(
    place: FeedPosition,
    terms: Terms,
    waiting: { limit: number; waitMs: number; signal: AbortSignal },
  ) {
    const { store, regionCode } = this.#service
    const askedAt = performance.now()
    const read = () => store.feed.after(regionCode, place, Math.min(waiting.limit, mostEntries))
    // 5,000 rows are 10 ms: of those who ask at once each gets its own turn, and residents come between.
    await this.#turn()
    let entries = read()
    const until = AbortSignal.any([waiting.signal, AbortSignal.timeout(waiting.waitMs)])
    while (entries.length === 0 && !until.aborted) {
      await store.nextCommit(until)
      await this.#turn()
      entries = read()
    }
    // Reading and the head's reading are one turn of the event loop: no write comes between them.
    const head = store.feed.head(regionCode)
    const heldMs = performance.now() - askedAt
    return { home: regionCode, terms, head, heldMs, rows: entries.map((entry) => rowOf(entry, terms)) }
  }

  /** Resolves when all are on disk. Each is taken in once, however often it is handed over. */
  async takeIn(origin: string, writes: readonly TakenWrite[]) {
    const { store, regionCode, clock } = this.#service
    const terms = this.termsFor(origin)
    const receipts = await store.write(() =>
      writes.map((write) => this.#merge(origin, notLaterThan(write, clock()), terms)),
    )
    return { home: regionCode, head: store.feed.head(regionCode), receipts }
  }

  /** @param terms Null: the donor may hand over what it took, and hold no copy any more. */
  #merge(origin: string, write: TakenWrite, terms: Terms | null): ReceiptAnswer {
    const { store, clock, regionCode } = this.#service
    const { recordId, residentToken } = write
    const resident = store.residents.byToken(residentToken)
    const place = store.copies.placeOf(residentToken)
    if (resident === undefined || place === undefined || resident.homeRegion !== regionCode) {
      const unknown = { homeStatus: null, takenStatus: null, reason: 'unknown-resident' } as const
      store.reviews.add({ ...unknown, recordId, residentToken, originRegion: origin, foundAtMs: clock() })
      return { recordId, outcome: 'unknown-resident', row: null }
    }
    const added = this.#record(origin, write)
    if (!added) return { recordId, outcome: 'known', row: this.#rowOf(residentToken, terms) }
    const { resident: merged, review } = mergeWrite(resident, place, write)
    if (write.kind === 'test') store.residents.update(merged)
    if (review !== null) {
      store.reviews.add({
        ...review,
        reason: 'crossed',
        recordId,
        residentToken,
        originRegion: origin,
        foundAtMs: clock(),
      })
    }
    return {
      recordId,
      outcome: review === null ? 'merged' : 'review',
      row: this.#rowOf(residentToken, terms),
    }
  }

  /** @returns Whether it was new. */
  #record(originRegion: string, write: TakenWrite): boolean {
    const { tests, registrations } = this.#service.store
    const { recordId, residentToken } = write
    if (write.kind === 'registration') {
      if (registrations.has(residentToken, recordId)) return false
      const { siteId, tubeId, registeredAtMs, receivedAtMs } = write
      const registration = {
        registrationId: recordId,
        siteId,
        tubeId,
        registeredAtMs,
        receivedAtMs,
        originRegion,
      }
      registrations.add(residentToken, registration)
      return true
    }
    if (tests.has(residentToken, recordId)) return false
    const { result, sampledAtMs, reportedAtMs, laboratory } = write
    tests.add(residentToken, {
      testId: recordId,
      result,
      sampledAtMs,
      reportedAtMs,
      laboratory,
      originRegion,
    })
    return true
  }

  #rowOf(residentToken: string, terms: Terms | null): ReceiptAnswer['row'] {
    if (terms === null) return null
    const { residents, copies } = this.#service.store
    const resident = residents.byToken(residentToken)
    const place = copies.placeOf(residentToken)
    return resident && place ? rowOf({ ...resident, ...place }, terms) : null
  }
}

/** A time to come, by a donor's wrong clock or worse, is no time that a code could be signed with: it counts as now. */
function notLaterThan(write: TakenWrite, nowMs: number): TakenWrite {
  const past = (ms: number): number => Math.min(ms, nowMs)
  return write.kind === 'test'
    ? { ...write, sampledAtMs: past(write.sampledAtMs), reportedAtMs: past(write.reportedAtMs) }
    : { ...write, registeredAtMs: past(write.registeredAtMs), receivedAtMs: past(write.receivedAtMs) }
}
