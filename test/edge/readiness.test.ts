// A node says for which homes it can't stand in: it gets none of their requests, keeps all others, and heals with the
// next probe. What it says wrongly counts for nothing and harms nobody.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'

type Answer = (response: ServerResponse) => void

const json =
  (value: unknown): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const text =
  (body: string, type = 'application/json', headers = {}): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': type, ...headers }).end(body)

/** Not ready for 610100, as our own nodes say it. */
const oldCopy = {
  status: 'ready',
  node: 'xianyang-1',
  notReadyFor: [
    { region: '610100', check: 'data', detail: 'the copy of 610100 is 9000 ms old, agreed are 2000' },
    { region: '659000', check: 'signing', detail: 'of no home that is served here' },
  ],
  copies: [],
}

/** A city without a node of its own that lives, and one donor that is asked at /readyz and answers by `answer`. */
async function borrowing(answer: () => Answer) {
  const donor = await httpUpstream(
    (request: IncomingMessage, response) => {
      if (request.url === '/readyz') answer()(response)
      else named('donor')(request, response)
    },
    { seesProbes: true },
  )
  const gateway = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: {} },
      { code: '610400', nodes: { 'xianyang-1': donor.url } },
    ],
    {
      home: { header: 'x-home' },
      health: { path: '/readyz', intervalMs: 60, fastIntervalMs: 60, timeoutMs: 250 },
    },
  )
  const ask = async (home: string) => {
    const { status, headers } = await fetch(`${gateway.url}/v1/codes/R1`, { headers: { 'x-home': home } })
    return { status, retryAfter: headers.get('retry-after'), type: headers.get('content-type') }
  }
  const label = 'node="xianyang-1"'
  return {
    ask,
    notReady: () => gateway.metric('chiyuan_node_not_ready_homes', `${label},region="610400"`),
    up: () => gateway.metric('chiyuan_node_up', `${label},region="610400"`),
    unreadable: () => gateway.metric('chiyuan_readiness_unreadable_total', label),
    served: () => gateway.metric('chiyuan_attempts_total', `${label},outcome="answered"`),
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await donor.close()
    },
  }
}

it('gets nothing of that home, all of others, and everything again once it says so', async () => {
  let answer = json(oldCopy)
  await using city = await borrowing(() => answer)
  await eventually(async () => expect(await city.notReady()).toBe(1))
  // Nobody else is left, and still it is not asked: it could only answer worse than not at all.
  const refused = await city.ask('610100')
  expect(refused).toMatchObject({ status: 503, type: expect.stringContaining('application/problem+json') })
  expect(Number(refused.retryAfter)).toBeGreaterThan(0)
  expect(await city.served()).toBe(0)
  expect((await city.ask('610400')).status).toBe(200)
  expect(await city.up()).toBe(1)
  answer = json({ ...oldCopy, notReadyFor: [] })
  await eventually(async () => expect((await city.ask('610100')).status).toBe(200))
  expect(await city.notReady()).toBe(0)
  expect(await city.unreadable()).toBe(0)
})

it.each<{ name: string; answer: Answer }>([
  { name: 'no region in it', answer: json({ notReadyFor: [{ home: '610100' }] }) },
  {
    name: 'a region that is none',
    answer: json({ notReadyFor: [{ region: '610100' }, { region: 'xian' }] }),
  },
  { name: 'a region as a number', answer: json({ notReadyFor: [{ region: 610100 }] }) },
  { name: 'a list of words', answer: json({ notReadyFor: ['610100'] }) },
  { name: 'no list', answer: json({ notReadyFor: 'all' }) },
  { name: 'null', answer: json({ notReadyFor: null }) },
  { name: 'half of an answer', answer: text('{"notReadyFor":[{"region":"610100"}') },
  { name: 'what is not JSON', answer: text('<html>') },
  { name: 'nothing', answer: text('') },
  { name: 'compressed', answer: text('\u001F\u008B', 'application/json', { 'content-encoding': 'gzip' }) },
  { name: '10 MB', answer: json({ ...oldCopy, pad: 'x'.repeat(10_000_000) }) },
  {
    name: 'no end',
    answer: (response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).write('{"notReadyFor":[]'),
  },
  {
    name: 'a broken connection',
    answer: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"notReadyFor":', () => response.destroy())
    },
  },
])(
  '$name can not be believed: it is counted, and the node stays in use for every home',
  async ({ answer }) => {
    let now = json(oldCopy)
    await using city = await borrowing(() => now)
    await eventually(async () => expect(await city.notReady()).toBe(1))
    now = answer
    await eventually(async () => expect(await city.unreadable()).toBeGreaterThan(1))
    expect([await city.notReady(), await city.up()]).toEqual([0, 1])
    expect((await city.ask('610100')).status).toBe(200)
  },
)

it.each<{ name: string; answer: Answer }>([
  { name: 'plain words', answer: text('ok', 'text/plain') },
  { name: 'a page', answer: text('{"notReadyFor":[{"region":"610100"}]}', 'text/html') },
  { name: 'another JSON', answer: json({ status: 'UP', components: { db: 'UP' } }) },
  { name: 'a bare value', answer: json('ok') },
  { name: 'a list', answer: json(['ok']) },
  { name: 'no content', answer: (response) => void response.writeHead(204).end() },
])('a node that answers $name does not know of homes and serves them all', async ({ answer }) => {
  await using city = await borrowing(() => answer)
  await eventually(async () => expect(await city.up()).toBe(1))
  expect((await city.ask('610100')).status).toBe(200)
  expect([await city.notReady(), await city.unreadable()]).toEqual([0, 0])
})

it('a node that is not ready for anything leaves the rotation', async () => {
  let answer = json(oldCopy)
  await using city = await borrowing(() => answer)
  await eventually(async () => expect(await city.up()).toBe(1))
  answer = (response) =>
    void response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{}')
  await eventually(async () => expect(await city.up()).toBe(0))
  // What it said before stands: with nothing better left probes are doubted, its own word is not.
  expect((await city.ask('610100')).status).toBe(503)
  expect(await city.served()).toBe(0)
})
