// When every level fails, a resident is shown what was last said to it, marked as such, and nobody else's.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

type Answers = (request: IncomingMessage, response: ServerResponse) => unknown

const good: Answers = ({ url }, response) =>
  response.writeHead(200, { 'content-type': 'text/plain', 'x-signature': 's1' }).end(`good ${url}`)
const dies: Answers = (_request, response) => response.destroy()

const settings = {
  classes: { critical: { lastGood: true, routes: [{ path: '/v1/codes/*' }, { path: '/v1/me' }] } },
  resident: { header: 'x-forwarded-user' },
  home: { default: '610100', header: 'x-home' },
  // Breakers and stalls are shown elsewhere; here each request shall see for itself what nodes say.
  breaker: { resetTimeoutMs: 1100, windowMs: 1000, volumeThreshold: 1000 },
}
let answers: Answers
let neighbourAnswers: Answers
let node: Upstream
let neighbour: Upstream
let edge: TestGateway

async function start(changes: Record<string, unknown> = {}): Promise<void> {
  answers = good
  neighbourAnswers = dies
  node = await httpUpstream((request, response) => void answers(request, response))
  neighbour = await httpUpstream((request, response) => void neighbourAnswers(request, response))
  edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': node.url } },
      { code: '610400', neighbours: ['610100'], nodes: { 'xianyang-1': neighbour.url } },
    ],
    { ...settings, ...changes },
  )
}

async function stop(): Promise<void> {
  await edge.close()
  await node.close()
  await neighbour.close()
}

/** Asks, and says status, body and what marks a last good answer. */
async function ask(path = '/v1/codes/R1', init: RequestInit = {}) {
  const response = await fetch(edge.url + path, init)
  const { status, headers } = response
  return { status, headers, body: await response.text(), stale: headers.get('x-chiyuan-last-good') !== null }
}

const used = (home = '610100'): Promise<number> =>
  edge.metric('chiyuan_last_good_total', `home="${home}",class="critical"`)

beforeEach(() => start())
afterEach(stop)

it('is the answer as it was, with its age and its time, under the id of who asks now', async () => {
  const before = Date.now()
  expect((await ask()).stale).toBe(false)
  answers = dies
  const { status, headers, body } = await ask('/v1/codes/R1', { headers: { 'x-request-id': 'mine-5678' } })
  expect([status, body, headers.get('x-signature')]).toEqual([200, 'good /v1/codes/R1', 's1'])
  expect(headers.get('age')).toMatch(/^[0-2]$/)
  expect(headers.get('cache-status')).toMatch(/^chiyuan; hit; ttl=(0|-[12]); detail=last-good$/)
  const at = Date.parse(headers.get('x-chiyuan-last-good') ?? '')
  expect(at).toBeGreaterThanOrEqual(before)
  expect(at).toBeLessThanOrEqual(Date.now())
  expect(headers.get('x-request-id')).toBe('mine-5678')
  expect(await used()).toBe(1)
  const outcome = 'home="610100",level="none",region="none",outcome="last-good"'
  expect(await edge.metric('chiyuan_requests_total', outcome)).toBe(1)
  expect(await edge.metric('chiyuan_requests_in_flight', 'home="610100"')).toBe(0)
})

it('is not there before there was a good one, nor for what no resident asks', async () => {
  answers = dies
  expect((await ask()).status).toBe(503)
  answers = good
  await ask('/v1/me')
  answers = dies
  expect((await ask('/v1/me')).status).toBe(503)
  expect(await used()).toBe(0)
})

it('no resident is named by the metrics', async () => {
  await ask('/v1/codes/R-1234567')
  answers = dies
  expect((await ask('/v1/codes/R-1234567')).stale).toBe(true)
  expect(await (await fetch(`${edge.adminUrl}/metrics`)).text()).not.toContain('R-1234567')
})

describe('is never for another', () => {
  it.each([
    { name: 'credential', headers: { authorization: 'Bearer B' } },
    { name: 'without a credential', headers: { authorization: '' } },
    { name: 'cookie', headers: { cookie: 'sid=2' } },
    { name: 'user that a proxy names', headers: { 'x-forwarded-user': 'B' } },
    { name: 'token that a proxy hands on', headers: { 'x-forwarded-access-token': 'B' } },
    { name: 'token bound to a connection', headers: { 'sec-token-binding': 'B' } },
    { name: 'language', headers: { 'accept-language': 'en' } },
    { name: 'origin', headers: { origin: 'http://b.example' } },
    { name: 'home', headers: { 'x-home': '610400' } },
    { name: 'part of it', headers: { range: 'bytes=0-1' } },
  ])('$name', async ({ headers }) => {
    const mine = {
      authorization: 'Bearer A',
      cookie: 'sid=1',
      'accept-language': 'zh',
      'x-forwarded-user': 'A',
      'x-forwarded-access-token': 'A',
      'sec-token-binding': 'A',
      origin: 'http://a.example',
    }
    await ask('/v1/codes/R1', { headers: mine })
    answers = dies
    expect((await ask('/v1/codes/R1', { headers: { ...mine, ...headers } })).status).toBe(503)
    expect((await ask('/v1/codes/R1', { headers: mine })).stale).toBe(true)
  })

  it.each([
    { name: 'resident', asked: '/v1/codes/R2' },
    { name: 'query', asked: '/v1/codes/R1?a=1' },
    { name: 'spelling of the path', asked: '/v1/codes/%52%31' },
  ])('$name', async ({ asked }) => {
    await ask()
    answers = dies
    expect((await ask(asked)).status).toBe(503)
  })

  it('resident whom a proxy names', async () => {
    await ask('/v1/me', { headers: { 'x-forwarded-user': 'A' } })
    answers = dies
    expect((await ask('/v1/me', { headers: { 'x-forwarded-user': 'B' } })).status).toBe(503)
    expect((await ask('/v1/me', { headers: { 'x-forwarded-user': 'A' } })).stale).toBe(true)
  })

  it('credential that is kept from the node by Connection', async () => {
    const hidden = (token: string): string =>
      `GET /v1/codes/R1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${token}\r\nConnection: authorization, close\r\n\r\n`
    expect((await sendRaw(edge.port, hidden('A'))).text).toContain('good')
    answers = dies
    for (const token of ['A', 'B'])
      expect((await sendRaw(edge.port, hidden(token))).text).toMatch(/^HTTP\/1\.1 503/)
  })

  it('body, nor for a HEAD or a POST', async () => {
    const withBody = (body: string): string =>
      `GET /v1/codes/R1 HTTP/1.1\r\nHost: ${new URL(edge.url).host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    await ask('/v1/codes/R1', { method: 'HEAD' })
    await ask('/v1/codes/R1', { method: 'POST' })
    await sendRaw(edge.port, withBody('A'))
    answers = dies
    expect((await sendRaw(edge.port, withBody('A'))).text).toMatch(/^HTTP\/1\.1 503/)
    for (const method of ['GET', 'HEAD']) expect((await ask('/v1/codes/R1', { method })).status).toBe(503)
    expect((await ask('/v1/codes/R1', { method: 'POST' })).stale).toBe(false)
    const bare = `GET /v1/codes/R1 HTTP/1.1\r\nHost: ${new URL(edge.url).host}\r\nConnection: close\r\n\r\n`
    expect((await sendRaw(edge.port, bare)).text).toMatch(/^HTTP\/1\.1 503/)
  })
})

it('is found again from another browser and network', async () => {
  await ask('/v1/codes/R1', {
    headers: { 'user-agent': 'one', 'sec-ch-ua': 'one', 'x-forwarded-for': '1.1.1.1' },
  })
  answers = dies
  const { stale } = await ask('/v1/codes/R1', { headers: { 'user-agent': 'two', 'if-none-match': '"x"' } })
  expect(stale).toBe(true)
})

describe('is only for when every level fails', () => {
  it('a neighbour that serves is asked instead', async () => {
    await ask()
    answers = dies
    neighbourAnswers = (_request, response) => response.end('neighbour')
    expect(await ask()).toMatchObject({ body: 'neighbour', stale: false })
  })

  it.each([429, 503])('nodes that say full with %i are passed on', async (status) => {
    await ask()
    answers = neighbourAnswers = (_request, response) =>
      response.writeHead(status, { 'retry-after': '7' }).end('full')
    const { headers, ...full } = await ask()
    expect(full).toEqual({ status, body: 'full', stale: false })
    expect([headers.get('retry-after'), await used()]).toEqual(['7', 0])
  })

  it('nodes that all answer 500 have failed', async () => {
    await ask()
    answers = neighbourAnswers = (_request, response) => response.writeHead(500).end('broken')
    expect(await ask()).toMatchObject({ status: 200, body: 'good /v1/codes/R1', stale: true })
  })
})

describe('is not kept', () => {
  it.each([
    { name: 'where the node forbids it', headers: { 'cache-control': 'private, No-Store' } },
    { name: 'where a session starts', headers: { 'set-cookie': 'sid=1' } },
    { name: 'where nobody can say for what it holds', headers: { vary: 'accept, *' } },
    { name: 'where another gateway kept it', headers: { 'x-chiyuan-last-good': '2026-01-01T00:00:00.000Z' } },
    { name: 'beyond its age, as a cache tells it', headers: { age: '301' } },
    { name: 'too long', headers: {}, body: 'L'.repeat(20_000) },
    { name: 'too long to hold', headers: {}, body: 'L'.repeat(300_000) },
    { name: 'with another status', headers: {}, status: 203 },
  ])('$name', async ({ headers, body = 'b', status = 200 }) => {
    answers = (_request, response) => response.writeHead(status, headers).end(body)
    expect((await ask()).body).toBe(body)
    answers = dies
    expect((await ask()).status).toBe(503)
  })

  it('where the resident forbids it', async () => {
    const init = { headers: { 'cache-control': 'no-store' } }
    await ask('/v1/codes/R1', init)
    answers = dies
    expect((await ask('/v1/codes/R1', init)).status).toBe(503)
  })
})

it('ends at its greatest age', async () => {
  edge.gateway.reload({ ...edge.config, lastGood: { ...edge.config.lastGood, maxAgeSeconds: 1 } })
  await ask()
  answers = dies
  expect((await ask()).stale).toBe(true)
  await eventually(async () => expect((await ask()).status).toBe(503))
})

it('is off at once by its switch, and what was kept is gone', async () => {
  await ask()
  answers = dies
  edge.gateway.reload({ ...edge.config, lastGood: { ...edge.config.lastGood, enabled: false } })
  expect((await ask()).status).toBe(503)
  edge.gateway.reload(edge.config)
  expect((await ask()).status).toBe(503)
})

it('takes no more memory than it is given: who was longest away is let go', async () => {
  await stop()
  await start({ lastGood: { memoryBytes: 4096 } })
  answers = ({ url }, response) => response.end(`${url} ${'b'.repeat(1000)}`)
  for (let i = 1; i <= 6; i++) await ask(`/v1/codes/R${i}`)
  answers = dies
  expect((await ask('/v1/codes/R1')).status).toBe(503)
  expect((await ask('/v1/codes/R6')).stale).toBe(true)
})
