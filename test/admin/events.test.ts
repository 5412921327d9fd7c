// /status, /gateways, /events: at a glance, and as it happens, also for whoever lost the stream for a while.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
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

it('shows the federation and the gateway at a glance', async () => {
  const status = await (await callApi(edge.adminUrl, token, 'GET', '/status')).json()
  expect(status).toMatchObject({ totals: { regions: 1, nodes: 1 }, gateway: { mode: 'peacetime' } })
  const gateways = await (await callApi(edge.adminUrl, token, 'GET', '/gateways')).json()
  expect(gateways).toMatchObject({ items: [{ workers: { ready: 1, of: 1 } }] })
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
