// A copy of one other home: follows that home's feed, hands over what was taken for it, and forgets it in the end.
import { setTimeout as wait } from 'node:timers/promises'
import type { RegionNodeLog } from '../options.ts'
import { isAfter } from '../store/feed.ts'
import type { FeedEntry, FeedPosition } from '../store/feed.ts'
import type { Store } from '../store/store.ts'
import { shown } from './merge.ts'
import { isSame, mustReadAnew } from './page-fit.ts'
import type { PeerClient } from './peer-client.ts'
import { PeerError } from './peer-client.ts'
import { standingOf } from './standing.ts'
import type { CopyFacts, Standing } from './standing.ts'
import { atLeast } from '../resident.ts'
import { mostEntries, mostWrites } from './wire.ts'
import type { Page } from './wire.ts'

export interface FollowerParts {
  readonly home: string
  /** Home's nodes, tried in turn. */
  readonly peers: readonly PeerClient[]
  readonly store: Store
  readonly clock: () => number
  readonly random: () => number
  readonly log: RegionNodeLog
  /** Called once the agreement has ended and all that was taken is handed over. */
  readonly standDown: (signal: AbortSignal) => Promise<void>
}

const shortestPauseMs = 50
const longestPauseMs = 2_000
/** While home says nothing new, its word that nothing is new is written down so often. */
const noteEveryMs = 5_000
/** So long home may be silent before the log says so. */
const toldAfterMs = 3_000
const start: FeedPosition = { epoch: 1, seq: 0 }

export class Follower implements AsyncDisposable {
  readonly #parts: FollowerParts
  readonly #stopping = new AbortController()
  #facts: CopyFacts
  #place: FeedPosition
  #notedAtMs = 0
  /** Whether it is written down that the copy may serve after a restart. */
  #notedFit: boolean
  /** Epoch of home when the reading from the start began; null: not known, such as after a restart. */
  #readingEpoch: number | null = null
  #turn = 0
  #following: Promise<unknown> | undefined
  #handingOver: Promise<void> | undefined
  /** Since when home can't be followed, and whether that was told. */
  #lostAtMs: number | null = null
  #lossTold = false

  constructor(parts: FollowerParts) {
    this.#parts = parts
    const copy = parts.store.copies.find(parts.home)
    this.#place = copy?.place ?? start
    this.#notedFit = copy?.whole ?? false
    // A clock that was set back meanwhile must not make it younger for as long as it was.
    const currentAtMs = Math.min(copy?.currentAtMs ?? 0, parts.clock())
    this.#facts = {
      region: parts.home,
      terms: copy?.terms,
      whole: this.#notedFit,
      currentAtMs,
      inContact: false,
      heardAtMs: currentAtMs,
      fault: undefined,
    }
  }

  get home(): string {
    return this.#parts.home
  }

  get facts(): CopyFacts {
    return this.#facts
  }

  standing(): Standing {
    return standingOf(this.#facts, this.#parts.clock())
  }

  /** What was taken for home and is not known to be there. */
  waitingWrites(): number {
    return this.#parts.store.journal.waitingCount(this.#parts.home)
  }

  start(): void {
    this.#following ??= Promise.all([this.#follow(), this.#followJournal()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#following
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping
    let pauseMs = shortestPauseMs
    while (!signal.aborted) {
      try {
        const more = await this.step(signal)
        pauseMs = shortestPauseMs
        if (!more) await this.#pause(longestPauseMs)
      } catch (error) {
        if (signal.aborted) return
        this.#lost(error)
        this.#turn += 1
        await this.#pause(pauseMs * (0.5 + this.#parts.random()))
        pauseMs = Math.min(longestPauseMs, pauseMs * 2)
      }
    }
  }

  /** What is taken while a page is waited for goes home at once. */
  async #followJournal(): Promise<void> {
    const { signal } = this.#stopping
    const { store, home } = this.#parts
    while (!signal.aborted) {
      await store.nextCommit(signal)
      const peer = this.#peer()
      if (signal.aborted || peer === undefined || !this.#facts.inContact) continue
      if (store.journal.waiting(home, 1).length === 0) continue
      // The other loop meets the same fault, tells of it, and tries again.
      await this.#handOver(peer, signal).catch(() => undefined)
    }
  }

  #peer(): PeerClient | undefined {
    const { peers } = this.#parts
    return peers[this.#turn % peers.length]
  }

  /** Hands over, and takes one page. For the loop, and for whoever drives it by hand. @returns Whether to go on at once. */
  async step(signal: AbortSignal): Promise<boolean> {
    const { clock, home, store } = this.#parts
    const peer = this.#peer()
    if (peer === undefined) throw new Error(`no address of ${home} is known`)
    const { terms } = this.#facts
    await this.#handOver(peer, signal)
    if (terms !== undefined && clock() >= terms.untilMs) return this.#ended(signal)
    const sentAtMs = clock()
    const page = await peer.page(this.#place, {
      limit: mostEntries,
      waitMs: this.#facts.whole ? this.#patienceMs() : 0,
      last: store.copies.tokenAt(home, this.#place),
      signal,
    })
    if (page === 'ended') return this.#ended(signal)
    await this.#take(page, sentAtMs)
    return true
  }

  /** A quarter of the agreed RPO, so that home's silence is noticed before the copy is too far behind to serve. */
  #patienceMs(): number {
    return Math.min(1_000, Math.max(50, (this.#facts.terms?.rpoSeconds ?? 2) * 250))
  }

  async #take(page: Page, sentAtMs: number): Promise<void> {
    const { store, home, log, clock } = this.#parts
    const { terms, whole: wasWhole } = this.#facts
    if (this.#place.seq === 0) this.#readingEpoch = page.head.epoch
    const followed = { home, place: this.#place, terms, whole: wasWhole, readingEpoch: this.#readingEpoch }
    if (mustReadAnew(page, followed)) return this.#readAnew(page)
    const last = page.entries.at(-1)
    const place: FeedPosition = last === undefined ? this.#place : { epoch: last.epoch, seq: last.seq }
    const caughtUp = !isAfter(page.head, place)
    // Home read its feed at the earliest so long after we asked, and at the latest now, whatever it and our clock say.
    const readAtMs = Math.min(clock(), sentAtMs + page.heldMs)
    const before = Math.min(clock(), this.#facts.currentAtMs)
    const currentAtMs = caughtUp ? Math.max(before, readAtMs) : before
    const whole = wasWhole || caughtUp
    // After a restart nothing else would tell that it was too far behind when home was heard last.
    const fit = whole && clock() - currentAtMs <= page.terms.rpoSeconds * 1_000
    const changed = last !== undefined || fit !== this.#notedFit || !isSame(page.terms, terms)
    if (changed || clock() - this.#notedAtMs >= noteEveryMs) {
      await store.write(() => {
        for (const entry of page.entries) this.#takeEntry(entry)
        store.journal.forget(home, place)
        store.copies.put({
          region: home,
          terms: page.terms,
          place,
          whole: fit,
          currentAtMs: Math.floor(currentAtMs),
        })
      })
      this.#notedAtMs = clock()
      this.#notedFit = fit
    }
    if (this.#lossTold) log.warn({ home }, 'home answers again')
    this.#lostAtMs = null
    this.#lossTold = false
    this.#place = place
    this.#facts = {
      ...this.#facts,
      terms: page.terms,
      whole,
      currentAtMs,
      inContact: true,
      heardAtMs: clock(),
      fault: undefined,
    }
  }

  /** Home came back from a backup, or lends other fields: all is read from the start, and until then it is not whole. */
  async #readAnew({ home, terms, head }: Page): Promise<void> {
    const { store, log } = this.#parts
    const { terms: before } = this.#facts
    await store.write(() =>
      store.copies.put({ region: home, terms, place: start, whole: false, currentAtMs: 0 }),
    )
    this.#place = start
    this.#notedFit = false
    this.#facts = { ...this.#facts, terms, whole: false, currentAtMs: 0 }
    if (isSame(before?.fields, terms.fields))
      log.warn({ home, epoch: head.epoch }, 'home has begun a new epoch: its residents are copied anew')
    else log.warn({ home, fields: terms.fields }, 'home lends other fields: its residents are copied anew')
  }

  #takeEntry(entry: FeedEntry): void {
    const { copies, journal, residents } = this.#parts.store
    const journalled = journal.holdsAny(entry.homeRegion)
    if (journalled) journal.resume(entry.residentToken)
    const waiting = journalled ? journal.notIn(entry.residentToken, entry) : []
    const shownAs = shown(entry, waiting)
    const held = this.#facts.whole ? undefined : copies.placeOf(entry.residentToken)
    if (held === undefined || !isAfter(held, entry)) return copies.take(entry, shownAs)
    // Home has lost what this row says: the more restrictive counts until home decides anew.
    const lost = residents.byToken(entry.residentToken)
    const status = lost === undefined ? shownAs.status : atLeast(shownAs.status, lost.status)
    copies.takeOver(entry, { ...shownAs, status })
  }

  /** Also before each page, so that home's colour and ours part for no longer than they must. */
  #handOver(peer: PeerClient, signal: AbortSignal): Promise<void> {
    this.#handingOver ??= this.#handOverAll(peer, signal).finally(() => {
      this.#handingOver = undefined
    })
    return this.#handingOver
  }

  async #handOverAll(peer: PeerClient, signal: AbortSignal): Promise<void> {
    const { store, home, log } = this.#parts
    let handedOver = 0
    for (;;) {
      const waiting = store.journal.waiting(home, mostWrites)
      if (waiting.length === 0) break
      const { head, receipts } = await peer.handOver(
        waiting.map(({ write }) => write),
        signal,
      )
      const byId = new Map(receipts.map((receipt) => [receipt.recordId, receipt]))
      await store.write(() => {
        for (const { entry, write } of waiting) {
          const receipt = byId.get(write.recordId)
          if (receipt === undefined) throw new PeerError('it did not say what became of a write')
          if (receipt.outcome === 'unknown-resident') store.journal.park(entry)
          else store.journal.settle(entry, receipt.entry ?? head)
          if (receipt.entry !== null && this.#facts.terms !== undefined) this.#takeEntry(receipt.entry)
        }
        store.journal.forget(home, this.#place)
      })
      handedOver += waiting.length
      const reviews = receipts.filter(
        ({ outcome }) => outcome === 'review' || outcome === 'unknown-resident',
      ).length
      if (reviews > 0) log.warn({ home, reviews }, 'home lists what was handed over for review')
    }
    // One by one they are everyday; a heap of them is the end of an outage.
    if (handedOver >= mostWrites) log.warn({ home, handedOver }, 'handed over what was taken for home')
  }

  /** First nothing more is taken or shown, then what was taken goes home, and then all is forgotten. */
  async #ended(signal: AbortSignal): Promise<boolean> {
    this.#place = start
    this.#notedFit = false
    this.#facts = {
      ...this.#facts,
      terms: undefined,
      whole: false,
      currentAtMs: 0,
      inContact: true,
      fault: 'no agreement is in force',
    }
    const peer = this.#peer()
    if (peer !== undefined) await this.#handOver(peer, signal)
    await this.#parts.standDown(signal)
    return false
  }

  #lost(error: unknown): void {
    const { home, log, clock } = this.#parts
    this.#lostAtMs ??= clock()
    const reason = error instanceof PeerError ? error.message : `a fault of this node: ${String(error)}`
    // A home that starts beside us, or answers the next time, is no news.
    if (!this.#lossTold && clock() - this.#lostAtMs >= toldAfterMs) {
      this.#lossTold = true
      log.warn({ home, reason }, 'home can’t be followed; its copy goes on as it is')
    }
    this.#facts = { ...this.#facts, inContact: false, fault: reason }
  }

  #pause(ms: number): Promise<void> {
    return wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
