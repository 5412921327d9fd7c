// What a donor took for a resident whom home did not know, such as one lost with home's disk, was handed over, listed at
// home by its number alone, and forgotten at the donor: an acknowledged positive test was nowhere any more.
// And a donor with a wrong clock handed over a test of the year 9999, after which home could sign no code for its resident.
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { readReceipts } from '../../region-node/replication/wire.ts'
import type { TakenWrite } from '../../region-node/replication/wire.ts'
import { openStore, type Store } from '../../region-node/store/store.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import {
  agreementsFile,
  DONOR,
  HOME,
  positive,
  startHome,
  statusAt,
} from '../region-node/replication/federation.ts'
import { agentOf, askAsPeer, followByHand, page, row } from '../region-node/replication/peer-by-hand.ts'

jest.setTimeout(30_000)

const resident = 'R610100-000002'
const test: Extract<TakenWrite, { kind: 'test' }> = {
  kind: 'test',
  recordId: '6c4c0b5e-5a38-4b3e-9a2f-0d3a3f6f1c11',
  residentToken: syntheticToken(resident),
  basis: { epoch: 1, seq: 1 },
  result: 'positive',
  sampledAtMs: 1_641_258_000_000,
  reportedAtMs: 1_641_258_000_000,
  laboratory: null,
}

let store: Store
beforeEach(() => {
  store = openStore(':memory:')
})
afterEach(() => store.close())

it('what home knows no resident for is kept, and handed over again once it knows one', async () => {
  const handed: string[] = []
  let known = false
  const copy = followByHand(store, Date.now, (writes) => {
    handed.push(...writes.map(({ recordId }) => recordId))
    const outcome = known ? 'merged' : 'unknown-resident'
    const receipts = writes.map(({ recordId }) => ({ recordId, outcome, row: null }))
    return Promise.resolve(readReceipts({ home: HOME, head: { epoch: 2, seq: 7 }, receipts }))
  })
  await copy.take(page([row(resident, 'green', 1, 1)]))
  await store.write(() => store.journal.add(HOME, test))
  // Home is restored without that resident, and its feed goes far beyond: nothing of it is forgotten.
  await copy.take(page([row('R610100-000009', 'green', 1, 500)]))
  await copy.take(page([row('R610100-000009', 'green', 1, 501)]))
  expect(handed).toEqual([test.recordId])
  expect(copy.follower.waitingWrites()).toBe(0)
  known = true
  // Green again in home's eyes; the donor still knows better.
  await copy.take(page([row(resident, 'green', 1, 502)]))
  expect(store.residents.byToken(test.residentToken)?.status).toBe('red')
  await copy.take(page([row('R610100-000009', 'green', 1, 503)]))
  expect(handed).toEqual([test.recordId, test.recordId])
})

it('a test of a time to come counts as of now, once, and its resident has a code that is valid', async () => {
  await using home = await startHome(await agreementsFile('future', {}))
  const agent = await agentOf(DONOR)
  const year9999 = Date.UTC(9999, 0, 1)
  const write = { ...test, sampledAtMs: year9999, reportedAtMs: year9999 }
  for (const outcome of ['review', 'known']) {
    const { body } = await askAsPeer(home, agent, '/journal', { writes: [write] })
    expect(JSON.parse(body).receipts).toMatchObject([{ outcome }])
  }
  agent.destroy()
  const { body } = await request(home.url).get(`/v1/codes/${resident}`).expect(200)
  expect(Date.parse(body.testTime)).toBeLessThanOrEqual(Date.now())
  const judged = await request(home.url).post('/v1/verifications').send({ code: body.code }).expect(200)
  expect(judged.body).toMatchObject({ valid: true, status: 'red' })
})

it('a test that came both ways is there once', async () => {
  await using home = await startHome(await agreementsFile('twice', {}))
  await using donor = await startHome(await agreementsFile('none'), { regionCode: HOME, nodeName: 'other' })
  const take = (url: string) =>
    request(url).post('/v1/tests').set('Idempotency-Key', 'k1').send(positive(resident)).expect(201)
  const { body } = await take(donor.url)
  const agent = await agentOf(DONOR)
  await askAsPeer(home, agent, '/journal', { writes: [{ ...test, recordId: body.testId }] })
  agent.destroy()
  await take(home.url)
  const { tests } = (await request(home.url).get(`/v1/tests/${resident}`).expect(200)).body
  expect(tests.filter(({ testId }: { testId: string }) => testId === body.testId)).toHaveLength(1)
  expect(await statusAt(home, resident)).toBe('red')
})
