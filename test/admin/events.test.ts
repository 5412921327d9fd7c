// /status, /gateways, /events: at a glance, and as it happens, also for whoever lost the stream for a while.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { z } from 'zod'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { callApi } from '../support/operator-token.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

let home: Upstream
let edge: TestGateway
let token: string
beforeEach(async () => {
  home = await httpUpstream(named('home'))
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': home.url } }], {
    admin: { port: 0, api: true },
  })
  token = edge.gateway.firstToken ?? ''
})
afterEach(async () => {
  await edge.close()
  await home[Symbol.asyncDispose]()
})

const setMode = (mode: string | null) =>
  callApi(edge.adminUrl, token, 'PUT', '/mode', { mode, reason: 'a test' })

/** Messages of a stream, until `enough` says so; `opened` is called once it is open. */
async function follow(
  after: string | null,
  enough: (text: string) => boolean,
  opened: () => unknown = () => {},
): Promise<string> {
  const over = new AbortController()
  const answer = await fetch(`${edge.adminUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}`, ...(after !== null && { 'last-event-id': after }) },
    signal: over.signal,
  })
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    if (text === '') opened()
    text += decoder.decode(chunk)
    if (enough(text)) break
  }
  over.abort()
  return text
}

const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.+)$/gm)].map(([, id = '']) => id)

it('tells what happens from now on, and goes on where a stream broke', async () => {
  const first = await follow(
    null,
    (text) => text.includes('event: mode'),
    () => void setMode('emergency'),
  )
  expect(first).toContain('"zh":')
  const last = idsIn(first).at(-1) ?? ''
  await setMode(null)
  const second = await follow(last, (text) => text.includes('event: mode'))
  expect(second).not.toContain('event: gap')
  expect(idsIn(second)).not.toContain(last)
})

it('says so when what was missed can’t be told any more', async () => {
  await setMode('emergency')
  const text = await follow('1-1', (told) => told.includes('event: mode'))
  expect(text).toMatch(/event: gap\ndata: \{"missed":null\}/)
})

it('holds no place for whoever asks for the head alone', async () => {
  for (let i = 0; i < 30; i++) {
    const answer = await fetch(`${edge.adminUrl}/api/v1/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${token}` },
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
  }
})

it('shows the federation and the gateway at a glance', async () => {
  const status = await (await callApi(edge.adminUrl, token, 'GET', '/status')).json()
  expect(status).toMatchObject({ totals: { regions: 1, nodes: 1 }, gateway: { mode: 'peacetime' } })
  const gateways = await (await callApi(edge.adminUrl, token, 'GET', '/gateways')).json()
  expect(gateways).toMatchObject({
    items: [{ own: true, health: 'passing', readings: { workers: { ready: 1, of: 1 } } }],
    stale: null,
  })
})

const madeToken = z.object({ id: z.string(), token: z.string() })
const viewer = async () => {
  const body = { name: 'a viewer', roles: ['viewer'], scope: '*', reason: 'a test' }
  return madeToken.parse(await (await callApi(edge.adminUrl, token, 'POST', '/tokens', body)).json())
}
const streamOf = (secret: string) =>
  fetch(`${edge.adminUrl}/api/v1/events`, { headers: { authorization: `Bearer ${secret}` } })

it('tells nothing more to whoever’s token was revoked meanwhile', async () => {
  const { id, token: secret } = await viewer()
  const answer = await streamOf(secret)
  const gone = await callApi(edge.adminUrl, token, 'DELETE', `/tokens/${id}?reason=left`)
  expect([answer.status, gone.status]).toEqual([200, 204])
  await setMode('emergency')
  expect(await answer.text()).not.toContain('event: mode')
})

it('keeps room for others, however many streams one has open', async () => {
  const { token: secret } = await viewer()
  const open = await Promise.all(Array.from({ length: 25 }, () => streamOf(secret)))
  const refused = open.filter(({ status }) => status === 503)
  expect([refused.length, open.filter(({ status }) => status === 200).length]).toEqual([5, 20])
  expect(await refused[0]?.text()).toContain('20 of yours')
  const other = await streamOf(token)
  expect(other.status).toBe(200)
  const streams = [...open, other].filter(({ body }) => body?.locked === false)
  await Promise.all(streams.map(async ({ body }) => body?.cancel()))
})

it('takes an id that is none, of whatever length, for one that is forgotten', async () => {
  await setMode('emergency')
  for (const id of ['x', `${'9'.repeat(16)}-${'9'.repeat(16)}`, 'a'.repeat(8192)]) {
    const text = await follow(id, (told) => told.includes('event: mode'))
    expect(text).toMatch(/event: gap\ndata: \{"missed":null\}/)
  }
})

it('ends its streams when the gateway stops', async () => {
  const answer = await fetch(`${edge.adminUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const ended = (async () => {
    try {
      await answer.text()
    } catch {
      // Cut or ended: both free whoever follows.
    }
  })()
  await edge.close()
  await ended
})
