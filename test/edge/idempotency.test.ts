// What may be sent twice is; what may not never is: a verification counted twice is a resident's harm.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestRegion } from '../support/gateway.ts'
import { deadPort, httpUpstream, rawUpstream, type Upstream } from '../support/upstream.ts'

/** A node that reads a request whole and then fails in the given way, without an answer. */
async function dyingNode(
  fails: (reset: () => void) => void,
): Promise<{ upstream: Upstream; seen: string[] }> {
  const seen: string[] = []
  const upstream = await rawUpstream((socket) => {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      if (text.startsWith('GET /healthz')) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      seen.push(text)
      fails(() => socket.destroy())
    })
  })
  return { upstream, seen }
}

const two = (first: string, second: string): TestRegion[] => [
  { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': first } },
  { code: '610400', nodes: { 'xianyang-1': second } },
]

const quick = { attempts: { attemptTimeoutMs: 200, totalTimeoutMs: 1500 } }
const failures = [
  { how: 'resets', fails: (reset: () => void) => reset() },
  { how: 'hangs', fails: () => {} },
]

describe.each(failures)('a node that reads a request and $how', ({ fails, how }) => {
  it.each([
    { method: 'POST', key: false, twice: false },
    { method: 'PATCH', key: false, twice: false },
    { method: 'POST', key: true, twice: true },
    { method: 'PUT', key: false, twice: true },
    { method: 'DELETE', key: false, twice: true },
  ])('$method, Idempotency-Key $key: sent twice $twice', async ({ method, key, twice }) => {
    const { upstream, seen } = await dyingNode(fails)
    await using _node = upstream
    await using helper = await httpUpstream((_request, response) => response.end('neighbour'))
    await using edge = await startTestGateway(two(upstream.url, helper.url), quick)
    const headers: Record<string, string> = key ? { 'idempotency-key': 'k1' } : {}
    for (let i = 0; i < 3; i++) {
      const init: RequestInit = { method, body: `n${i}`, headers }
      const response = await fetch(`${edge.url}/v1/verifications`, init)
      const text = await response.text()
      if (twice) expect([response.status, text]).toEqual([200, 'neighbour'])
      else {
        expect(response.status).toBe(how === 'hangs' ? 504 : 502)
        expect(text).not.toMatch(/127\.0\.0\.1|xian|ECONN/)
      }
    }
    for (let i = 0; i < 3; i++)
      expect(seen.filter((text) => text.endsWith(`n${i}`)).length).toBeLessThanOrEqual(1)
    if (!twice) expect([seen.length, helper.requests]).toEqual([3, 0])
  })
})

it('a POST goes to another node when the first refuses the connection, once each', async () => {
  await using helper = await httpUpstream((_request, response) => response.end('neighbour'))
  await using edge = await startTestGateway(two(`http://127.0.0.1:${await deadPort()}`, helper.url), quick)
  for (let i = 0; i < 10; i++) {
    const response = await fetch(edge.url, { method: 'POST', body: 'x' })
    expect([response.status, await response.text()]).toEqual([200, 'neighbour'])
  }
  expect(helper.requests).toBe(10)
})

it('a POST that a slow node still works on is not hedged', async () => {
  let calls = 0
  await using slow = await httpUpstream((_request, response) => {
    calls += 1
    setTimeout(() => response.end('done'), 500)
  })
  await using helper = await httpUpstream((_request, response) => response.end('neighbour'))
  await using edge = await startTestGateway(two(slow.url, helper.url), { hedging: { enabled: true } })
  const response = await fetch(edge.url, { method: 'POST', body: 'x' })
  expect([await response.text(), calls, helper.requests]).toEqual(['done', 1, 0])
})

it('a POST that is answered with 503 is passed through, for the node has seen it', async () => {
  await using full = await httpUpstream((_request, response) => response.writeHead(503).end('full'))
  await using helper = await httpUpstream((_request, response) => response.end('neighbour'))
  await using edge = await startTestGateway(two(full.url, helper.url))
  const response = await fetch(edge.url, { method: 'POST', body: 'x' })
  expect([response.status, await response.text(), helper.requests]).toEqual([503, 'full', 0])
})
