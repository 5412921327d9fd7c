// No interleaving of updates, lag, failover and merge ever betters a colour: only home's own later decision does.
import { expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { Follower } from '../../../region-node/replication/follower.ts'
import { HomeSide } from '../../../region-node/replication/home.ts'
import { copiesOf, noCopies } from '../../../region-node/replication/copies.ts'
import { PeerError } from '../../../region-node/replication/peer-client.ts'
import type { PeerClient } from '../../../region-node/replication/peer-client.ts'
import { agreementsSchema } from '../../../region-node/replication/terms.ts'
import { handoverSchema, readPage, readReceipts } from '../../../region-node/replication/wire.ts'
import { recordTest } from '../../../region-node/record-test.ts'
import type { CodeStatus, Resident, TestResult } from '../../../region-node/resident.ts'
import { seedResidents } from '../../../region-node/seed.ts'
import type { CodeService } from '../../../region-node/service.ts'
import { openStore } from '../../../region-node/store/store.ts'
import { isAfter } from '../../../region-node/store/feed.ts'
import type { FeedPosition } from '../../../region-node/store/feed.ts'
import { syntheticToken } from '../../../region-node/synthetic.ts'

const HOME = '610100'
const DONORS = ['610400', '610500'] as const
const PEOPLE = ['R610100-000001', 'R610100-000002', 'R610100-000003']
const severity: Record<CodeStatus, number> = { green: 0, yellow: 1, red: 2 }
const sampledAtMs = Date.UTC(2022, 0, 4)

type Step =
  | { do: 'test'; at: number; who: number; result: TestResult; again: boolean }
  /** Home's authority decides: the one thing that may better a colour. */
  | { do: 'decide'; who: number; status: CodeStatus }
  /** One donor takes at most so many changes, and hands over what it has. */
  | {
      do: 'follow'
      donor: number
      limit: number
      lost: 'nothing' | 'request' | 'answer'
      meanwhile: Meanwhile | null
    }
  | { do: 'restart'; donor: number }

/** A client whom home heard, but could not answer, and who goes to the donor while a page is on its way to it. */
interface Meanwhile {
  readonly who: number
  readonly result: TestResult
  readonly homeHeardIt: boolean
  readonly homeThenDecided: CodeStatus | null
}

const who = fc.nat(PEOPLE.length - 1)
const donor = fc.nat(DONORS.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('test' as const),
    at: fc.nat(DONORS.length),
    who,
    result: fc.constantFrom('negative', 'positive', 'pending'),
    again: fc.boolean(),
  }),
  fc.record({ do: fc.constant('decide' as const), who, status: fc.constantFrom('green', 'yellow', 'red') }),
  fc.record({
    do: fc.constant('follow' as const),
    donor,
    limit: fc.integer({ min: 1, max: 4 }),
    lost: fc.constantFrom('nothing', 'nothing', 'request', 'answer'),
    meanwhile: fc.option(
      fc.record({
        who,
        result: fc.constantFrom('negative', 'positive'),
        homeHeardIt: fc.boolean(),
        homeThenDecided: fc.option(fc.constantFrom('green', 'yellow')),
      }),
    ),
  }),
  fc.record({ do: fc.constant('restart' as const), donor }),
)

/** A home and its donors without sockets: what goes between them goes through the same JSON. */
class Federation implements Disposable {
  readonly home = openStore(':memory:')
  readonly donors = DONORS.map((region) => ({ region, store: openStore(':memory:') }))
  now = Date.UTC(2022, 0, 5)
  #followers: Follower[] = []
  readonly #homeSide: HomeSide
  /** What the next page or handover meets with. */
  #limit = 9
  #lost = 'nothing'
  #meanwhile: Promised = nothing
  #beforePage: Promised = nothing

  constructor() {
    const agreements = DONORS.map((region) => ({
      id: region,
      donor: region,
      from: '2020-01-01T00:00:00Z',
      until: '2030-01-01T00:00:00Z',
    }))
    const read = agreementsSchema.parse({ agreements }).agreements
    this.#homeSide = new HomeSide(this.service(HOME), () => read)
    this.#followers = this.donors.map(({ region }) => this.#follower(region))
  }

  service(region: string): CodeService {
    const clock = () => (this.now += 1)
    const index = DONORS.findIndex((name) => name === region)
    const follower = this.#followers[index]
    const copies = follower === undefined ? noCopies : copiesOf([follower])
    const store = this.donors[index]?.store ?? this.home
    // What recording and merging use of a service, and no more.
    const parts: Partial<CodeService> = { regionCode: region, store, copies, clock, log: silent }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return parts as CodeService
  }

  /** @param on Done at home before it reads a page, and at the donor before it takes that page. */
  async follow(
    nth: number,
    { limit = 9, lost = 'nothing', beforePage = nothing, meanwhile = nothing }: Following = {},
  ): Promise<void> {
    this.#beforePage = beforePage
    this.#meanwhile = meanwhile
    this.#limit = limit
    this.#lost = lost
    await this.#followers[nth]?.step(new AbortController().signal).catch((error: unknown) => {
      if (!(error instanceof PeerError)) throw error
    })
  }

  /** What is in memory is lost, what is in the store is not. */
  restart(nth: number): void {
    const region = DONORS[nth]
    if (region !== undefined) this.#followers[nth] = this.#follower(region)
  }

  placeOfCopy(nth: number): FeedPosition {
    return this.donors[nth]?.store.copies.find(HOME)?.place ?? { epoch: 1, seq: 0 }
  }

  [Symbol.dispose](): void {
    for (const { store } of this.donors) store.close()
    this.home.close()
  }

  #follower(region: string): Follower {
    const store = this.donors.find((given) => given.region === region)?.store
    if (store === undefined) throw new Error('no such donor')
    const clock = () => this.now
    const standDown = () => Promise.reject(new Error('the agreement goes on'))
    const peers = [this.#peer(region)]
    return new Follower({ home: HOME, peers, store, clock, random: () => 0, log: silent, standDown })
  }

  #peer(donorRegion: string): PeerClient {
    const over = async (ask: () => Promise<unknown>): Promise<unknown> => {
      if (this.#lost === 'request') throw new PeerError('lost on the way')
      const answer: unknown = JSON.parse(JSON.stringify(await ask()))
      if (this.#lost === 'answer') throw new PeerError('lost on the way back')
      return answer
    }
    return {
      page: async (after, { signal }) => {
        const terms = this.#homeSide.termsFor(donorRegion)
        if (terms === null) return 'ended'
        const waiting = { limit: this.#limit, waitMs: 0, signal }
        const page = readPage(
          await over(() => this.#beforePage().then(() => this.#homeSide.page(after, terms, waiting))),
        )
        await this.#meanwhile()
        return page
      },
      handOver: async (writes) => {
        const sent = handoverSchema.parse(JSON.parse(JSON.stringify({ writes }))).writes
        return readReceipts(await over(() => this.#homeSide.takeIn(donorRegion, sent)))
      },
      handOverPurge: () => Promise.resolve(),
      close: () => undefined,
    }
  }
}

type Promised = () => Promise<unknown>

const nothing: Promised = () => Promise.resolve()

interface Following {
  readonly limit?: number
  readonly lost?: string
  readonly beforePage?: Promised
  readonly meanwhile?: Promised
}

const silent = { warn: () => undefined, error: () => undefined }

/** What must hold however colours came about: each node's last word on each resident, and what allowed a better one. */
class Ledger {
  readonly #federation: Federation
  /** Where in home's feed each of home's own decisions stands, by resident. */
  readonly decisions = new Map<string, { place: FeedPosition; status: CodeStatus }[]>()
  readonly #last = new Map<string, CodeStatus>()
  readonly #grounds = new Map<string, number>()

  constructor(federation: Federation) {
    this.#federation = federation
  }

  decided(person: string, decision: { place: FeedPosition; status: CodeStatus }): void {
    this.decisions.set(person, [...(this.decisions.get(person) ?? []), decision])
  }

  check(): void {
    const { home, donors } = this.#federation
    const stores = [
      { name: HOME, store: home },
      ...donors.map(({ region, store }) => ({ name: region, store })),
    ]
    for (const [nth, { name, store }] of stores.entries()) {
      for (const person of PEOPLE) {
        const token = syntheticToken(person)
        const now = store.residents.byToken(token)?.status
        const before = this.#last.get(`${name} ${person}`)
        if (now !== undefined && before !== undefined && severity[now] < severity[before]) {
          this.#mayBeBetter(nth, person, now, store.copies.placeOf(token))
        }
        if (nth === 0) this.#mayBeWorse(person, now, before)
        if (now !== undefined) this.#last.set(`${name} ${person}`, now)
      }
    }
  }

  /** A test that home has had already changes nothing, or a decision made since would be undone. */
  #mayBeWorse(person: string, now: CodeStatus | undefined, before: CodeStatus | undefined): void {
    const tests = this.#federation.home.tests.newest(syntheticToken(person), 100)
    const positive = tests.filter(({ result }) => result === 'positive').length
    const grounds = positive + (this.decisions.get(person)?.length ?? 0)
    const worse = now !== undefined && before !== undefined && severity[now] > severity[before]
    if (worse) expect(grounds).toBeGreaterThan(this.#grounds.get(person) ?? 0)
    this.#grounds.set(person, grounds)
  }

  /** Home bettered it by a decision of its own, which this node has come to, and nothing is known that speaks against it. */
  #mayBeBetter(nth: number, person: string, now: CodeStatus, place: FeedPosition | undefined): void {
    const decided = this.decisions.get(person) ?? []
    if (place === undefined) throw new Error('no row')
    const heard = decided.filter((decision) => !isAfter(decision.place, place))
    const bettering = heard.at(-1)
    expect({ person, nth, decided: bettering !== undefined }).toEqual({ person, nth, decided: true })
    expect(severity[now]).toBeGreaterThanOrEqual(severity[bettering?.status ?? 'red'])
    if (nth === 0) return
    const { store } = this.#federation.donors[nth - 1] ?? { store: this.#federation.home }
    const waiting = store.journal.notIn(syntheticToken(person), place)
    expect(waiting.filter((write) => write.kind === 'test' && write.result === 'positive')).toEqual([])
  }
}

interface Doing {
  readonly decide: (person: string, status: CodeStatus) => Promise<void>
  readonly test: (region: string, taken: Pick<Meanwhile, 'who' | 'result'>, nth: number) => Promise<void>
  readonly nth: number
}

function follow(
  federation: Federation,
  { donor: at, limit, lost, meanwhile }: Extract<Step, { do: 'follow' }>,
  { decide, test, nth }: Doing,
): Promise<void> {
  if (meanwhile === null) return federation.follow(at, { limit, lost })
  const { homeHeardIt, homeThenDecided } = meanwhile
  return federation.follow(at, {
    limit,
    lost,
    beforePage: async () => {
      if (homeHeardIt) await test(HOME, meanwhile, nth)
      if (homeThenDecided !== null) await decide(PEOPLE[meanwhile.who] ?? '', homeThenDecided)
    },
    meanwhile: () => test(DONORS[at] ?? HOME, meanwhile, nth),
  })
}

async function run(steps: readonly Step[]): Promise<void> {
  using federation = new Federation()
  const ledger = new Ledger(federation)
  await seedResidents(federation.home, [HOME], PEOPLE.length, federation.now)
  for (const nth of DONORS.keys()) await federation.follow(nth)
  ledger.check()
  /** Positive tests that some node has acknowledged, and home has since not decided otherwise. */
  const acknowledged = new Set<string>()
  const test = async (
    region: string,
    taken: Pick<Meanwhile, 'who' | 'result'>,
    nth: number,
  ): Promise<void> => {
    const residentId = PEOPLE[taken.who] ?? ''
    const given = { residentId, result: taken.result, sampledAtMs: sampledAtMs + nth, laboratory: null }
    const { outcome } = await recordTest(federation.service(region), given, `${residentId}-${nth}`)
    expect(['recorded', 'replayed']).toContain(outcome)
    if (taken.result === 'positive') acknowledged.add(`${residentId}-${nth}`)
  }
  const decide = async (person: string, status: CodeStatus): Promise<void> => {
    const before = federation.home.residents.byToken(syntheticToken(person))
    if (before === undefined) throw new Error('not seeded')
    const decided: Resident = { ...before, status, updatedAtMs: federation.now }
    await federation.home.write(() => federation.home.residents.update(decided))
    ledger.decided(person, { place: federation.home.feed.head(HOME), status })
  }
  for (const [nth, taken] of steps.entries()) {
    switch (taken.do) {
      case 'test': {
        await test(DONORS[taken.at - 1] ?? HOME, taken, nth)
        // A client who heard nothing goes to another node with the same.
        if (taken.again) await test(HOME, taken, nth)
        break
      }
      case 'decide': {
        const person = PEOPLE[taken.who] ?? ''
        await decide(person, taken.status)
        break
      }
      case 'follow':
        await follow(federation, taken, { decide, test, nth })
        break
      case 'restart':
        federation.restart(taken.donor)
        break
    }
    ledger.check()
  }
  // In the end all hear from each other: one colour everywhere, and no test was lost.
  for (let round = 0; round < 3; round += 1) {
    for (const nth of DONORS.keys()) for (let page = 0; page < 2; page += 1) await federation.follow(nth)
  }
  ledger.check()
  for (const person of PEOPLE) {
    const token = syntheticToken(person)
    const atHome = federation.home.residents.byToken(token)
    for (const { store } of federation.donors) {
      expect(store.residents.byToken(token)).toStrictEqual(atHome)
      expect(store.journal.holdsAny(HOME)).toBe(false)
    }
  }
  const tests = PEOPLE.flatMap((person) => federation.home.tests.newest(syntheticToken(person), 100))
  expect(
    tests.filter(({ result, sampledAtMs: at }) => result === 'positive' && at >= sampledAtMs),
  ).toHaveLength(acknowledged.size)
}

it('no colour is bettered but by home, whatever is updated, late, lost, restarted and merged', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), run), { numRuns: 200 })
}, 120_000)
