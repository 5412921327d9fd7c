// Interim answers (1xx) on their way through, and clients that wait for one before they send a body.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream } from '../support/upstream.ts'
import { headerIn, wireUpstream } from '../support/wire.ts'

const ways = [
  { way: 'held', accept: '' },
  { way: 'stream', accept: 'Accept: text/event-stream\r\n' },
]
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe.each(ways)('$way', ({ accept }) => {
  it.each([102, 103])('%s is passed on before the answer, and silent about the node', async (status) => {
    await using node = await wireUpstream(
      () =>
        `HTTP/1.1 ${status} Early\r\nLink: </a.css>; rel=preload\r\nServer: xian-1\r\nX-Node: xian-1\r\n\r\n${ok}`,
    )
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${accept}\r\n`, {
      until: '\r\n\r\nok',
    })
    expect(statusOf(text)).toBe(status)
    expect(headerIn(text, 'link')).toBe('</a.css>; rel=preload')
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 200'])
    expect(text).not.toContain('xian-1')
  })

  it('several are passed on as they come', async () => {
    const hint = (name: string): string => `HTTP/1.1 103 Early Hints\r\nLink: <${name}>; rel=preload\r\n\r\n`
    await using node = await wireUpstream((_request, socket) => {
      socket.write(hint('/one'))
      setTimeout(() => socket.write(hint('/two')), 30)
      setTimeout(() => socket.write(ok), 60)
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      hedging: { enabled: false },
    })
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${accept}\r\n`, {
      until: '\r\n\r\nok',
    })
    expect(text.match(/^HTTP\/1\.1 \d+|<[^>]*>/gm)).toEqual([
      'HTTP/1.1 103',
      '</one>',
      'HTTP/1.1 103',
      '</two>',
      'HTTP/1.1 200',
    ])
  })

  it('a hint at the node’s own address becomes one at the public host', async () => {
    await using node = await wireUpstream(
      () => `HTTP/1.1 103 Early\r\nLink: <${address()}/a.css>; rel=preload\r\n\r\n${ok}`,
    )
    const address = (): string => node.url
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: code.example\r\n${accept}\r\n`, {
      until: '\r\n\r\nok',
    })
    expect(headerIn(text, 'link')).toBe('<http://code.example/a.css>; rel=preload')
  })

  it('an HTTP/1.0 client gets none', async () => {
    await using node = await wireUpstream(() => `HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n${ok}`)
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.0\r\nHost: a\r\n${accept}\r\n`)
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200'])
  })
})

describe('Expect: 100-continue', () => {
  it.each([
    { name: 'short', size: 5 },
    { name: 'too long to keep', size: 100_000 },
  ])('a client with a $name body is told to go on, and the node gets the body alone', async ({ size }) => {
    const requests: string[] = []
    await using node = await wireUpstream((request) => {
      requests.push(request)
      return ok
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const head = `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${size}\r\n\r\n`
    const { text } = await sendRaw(edge.port, head, {
      until: '\r\n\r\n',
      next: 'x'.repeat(size),
      nextUntil: 'ok',
    })
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
    expect(headerIn(requests[0] ?? '', 'expect')).toBeUndefined()
    expect(requests[0]).toMatch(new RegExp(`\r\n\r\nx{${Math.min(size, 5000)}}`))
  })

  it('a client whose body would be refused is not told to send it', async () => {
    await using node = await wireUpstream()
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      limits: { uploadBytes: 1024 },
    })
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n'
    const { text } = await sendRaw(edge.port, head)
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 413'])
  })
})

describe('a node that says 100 without having been asked to', () => {
  const post = async (size: number): Promise<[number, string]> => {
    await using node = await httpUpstream((request, response) => {
      response.writeContinue()
      request.resume().on('end', () => response.end('ok'))
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const response = await fetch(edge.url, { method: 'POST', body: 'x'.repeat(size) })
    return [response.status, await response.text()]
  }

  it('is understood for a long body', async () => {
    expect(await post(100_000)).toEqual([200, 'ok'])
  })

  // undici 8.12 (client-h1.js, onHeadersComplete) ends the connection on any 100, although RFC 9110 section 15.2 has a
  // client take one that it did not ask for. It needs a change in forward/pools.ts, or in undici.
  it.failing('is understood for a short body', async () => {
    expect(await post(1)).toEqual([200, 'ok'])
  })
})
