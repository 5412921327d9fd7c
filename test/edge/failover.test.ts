// Requests find another node when the first one fails, in every way in which a node can fail.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { deadPort, httpUpstream, named, rawUpstream } from '../support/upstream.ts'

const body = async (url: string, init?: RequestInit): Promise<[number, string]> => {
  const response = await fetch(url, init)
  return [response.status, await response.text()]
}

describe('a failing local node', () => {
  it('that refuses connections costs no request', async () => {
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': `http://127.0.0.1:${await deadPort()}` } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    for (let i = 0; i < 20; i++) expect(await body(`${edge.url}/v1/codes/R${i}`)).toEqual([200, 'neighbour'])
  })

  it.each([
    { name: 'that resets before a byte', answer: '' },
    { name: 'that dies in the head', answer: 'HTTP/1.1 200 OK\r\nContent-' },
    { name: 'that dies in the body', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf' },
    { name: 'that speaks no HTTP', answer: 'SSH-2.0-OpenSSH_9.2\r\n' },
  ])('$name is replaced by the next', async ({ answer }) => {
    await using broken = await rawUpstream((socket) => {
      socket.once('data', () => socket.end(answer, () => socket.destroy()))
    })
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': broken.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    for (let i = 0; i < 12; i++) expect(await body(`${edge.url}/v1/codes/R${i}`)).toEqual([200, 'neighbour'])
  })

  it('that answers 500 is replaced for safe requests, and passed through for a POST', async () => {
    await using broken = await httpUpstream((_request, response) => {
      response.statusCode = 500
      response.end('boom')
    })
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': broken.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    expect(await body(`${edge.url}/`)).toEqual([200, 'neighbour'])
    expect(await body(`${edge.url}/`, { method: 'POST', body: 'x' })).toEqual([500, 'boom'])
    expect(
      await body(`${edge.url}/`, { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k1' } }),
    ).toEqual([200, 'neighbour'])
  })

  it('that hangs is hedged long before its deadline', async () => {
    await using hung = await httpUpstream(() => {})
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway(
      [
        { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': hung.url } },
        { code: '610400', nodes: { 'xianyang-1': helper.url } },
      ],
      { hedging: { enabled: true } },
    )
    const slow = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const started = performance.now()
        expect(await body(`${edge.url}/v1/codes/R${i}`)).toEqual([200, 'neighbour'])
        return performance.now() - started
      }),
    )
    expect(Math.max(...slow)).toBeLessThan(1500)
    expect(
      await edge.metric('chiyuan_attempts_started_total', 'node="xianyang-1",kind="hedge"'),
    ).toBeGreaterThan(0)
  })
})

describe('with no level left', () => {
  it('says so in the language and form that the client asked for', async () => {
    await using edge = await startTestGateway([
      { code: '610100', nodes: { 'xian-1': `http://127.0.0.1:${await deadPort()}` } },
    ])
    const api = await fetch(`${edge.url}/v1/codes/R1`, { headers: { 'accept-language': 'en' } })
    expect(api.status).toBe(503)
    expect(api.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(Number(api.headers.get('retry-after'))).toBeGreaterThanOrEqual(3)
    expect(await api.json()).toMatchObject({ status: 503, title: 'The service is not available at present' })
    const page = await fetch(`${edge.url}/`, {
      headers: { accept: 'text/html', 'accept-language': 'zh-CN,zh;q=0.9' },
    })
    expect(page.headers.get('content-language')).toBe('zh-CN')
    expect(await page.text()).toContain('服务暂时不可用')
  })
})
