// What goes out to a node, byte by byte: bodies framed as they came in, targets read rightly, nothing added.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { headerIn, type Wire, wireUpstream } from '../support/wire.ts'

let node: Wire
let edge: TestGateway
const requests: string[] = []

beforeAll(async () => {
  node = await wireUpstream((request) => {
    requests.push(request)
    return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  })
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
})

afterAll(async () => {
  await edge.close()
  await node.close()
})

beforeEach(() => {
  requests.length = 0
})

/** Sends one request and returns it as the node saw it. */
async function sentOn(bytes: string): Promise<string> {
  const { text } = await sendRaw(edge.port, bytes, { until: '\r\n\r\nok' })
  expect(statusOf(text)).toBe(200)
  expect(requests).toHaveLength(1)
  return requests[0] ?? ''
}

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4)

/** The content of a chunked body, or `null` where it is not well formed. */
function dechunked(body: string): string | null {
  let rest = body
  let content = ''
  for (;;) {
    const [line = ''] = rest.split('\r\n', 1)
    const size = Number.parseInt(line, 16)
    if (!Number.isInteger(size)) return null
    const chunk = rest.slice(line.length + 2, line.length + 2 + size)
    rest = rest.slice(line.length + 2 + size)
    if (!rest.startsWith('\r\n')) return null
    if (size === 0) return rest === '\r\n' ? content : null
    content += chunk
    rest = rest.slice(2)
  }
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

describe('a body', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'QUERY'])(
    'that came chunked with %s goes out chunked',
    async (method) => {
      const body = `5\r\nhello\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
      const seen = await sentOn(
        `${method} /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
      )
      expect(seen).toMatch(new RegExp(`^${method} /x HTTP/1.1\r\n`))
      expect(headerIn(seen, 'transfer-encoding')).toBe('chunked')
      expect(headerIn(seen, 'content-length')).toBeUndefined()
      expect(dechunked(bodyOf(seen))).toBe(`hello${smuggled}`)
    },
  )

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'HEAD', 'QUERY'])(
    'that came with a length with %s goes out with that length',
    async (method) => {
      const seen = await sentOnAnyBody(method)
      expect(headerIn(seen, 'content-length')).toBe(String(smuggled.length))
      expect(headerIn(seen, 'transfer-encoding')).toBeUndefined()
      expect(bodyOf(seen)).toBe(smuggled)
    },
  )

  it.each(['DELETE', 'OPTIONS', 'GET', 'POST'])(
    'too long to keep and chunked with %s goes out chunked and whole',
    async (method) => {
      const part = 'x'.repeat(0x4000)
      const body = `4000\r\n${part}\r\n`.repeat(6) + '0\r\n\r\n'
      const seen = await sentOn(
        `${method} /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
      )
      expect(headerIn(seen, 'transfer-encoding')).toBe('chunked')
      expect(headerIn(seen, 'content-length')).toBeUndefined()
      expect(dechunked(bodyOf(seen))).toBe(part.repeat(6))
    },
  )

  it.each(['DELETE', 'OPTIONS', 'GET', 'POST'])(
    'too long to keep with a length with %s goes out with that length',
    async (method) => {
      const body = 'x'.repeat(100_000)
      const seen = await sentOn(
        `${method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      expect(headerIn(seen, 'content-length')).toBe('100000')
      expect(headerIn(seen, 'transfer-encoding')).toBeUndefined()
      expect(bodyOf(seen)).toBe(body)
    },
  )

  it('of no bytes is told as such for POST, and not invented for GET', async () => {
    const empty = await sentOn('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    expect(headerIn(empty, 'content-length')).toBe('0')
    requests.length = 0
    const none = await sentOn('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(headerIn(none, 'content-length')).toBeUndefined()
    expect(headerIn(none, 'transfer-encoding')).toBeUndefined()
  })

  it('chunked with extensions and trailers loses both, and keeps its content', async () => {
    const body = '5;a=b\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n'
    const seen = await sentOn(`POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n${body}`)
    expect(dechunked(bodyOf(seen))).toBe('hello')
  })
})

async function sentOnAnyBody(method: string): Promise<string> {
  await sendRaw(
    edge.port,
    `${method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\nConnection: close\r\n\r\n${smuggled}`,
  )
  expect(requests).toHaveLength(1)
  return requests[0] ?? ''
}

describe('a target', () => {
  it.each([
    { target: '/a/b?c=d', path: '/a/b?c=d', host: 'a' },
    { target: 'http://b.example:81/a?c', path: '/a?c', host: 'b.example:81' },
    { target: 'HTTP://b.example', path: '/', host: 'b.example' },
    { target: 'http://b.example?c', path: '/?c', host: 'b.example' },
    { target: '//evil.example/a', path: '//evil.example/a', host: 'a' },
    { target: '/http://evil.example/', path: '/http://evil.example/', host: 'a' },
    { target: '/%2e%2e/%2f?x=%00', path: '/%2e%2e/%2f?x=%00', host: 'a' },
    { target: '/../x/./y', path: '/../x/./y', host: 'a' },
    { target: '/"<>\\^`{|}', path: '/"<>\\^`{|}', host: 'a' },
  ])('$target goes on as $path of $host', async ({ target, path, host }) => {
    const seen = await sentOn(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    expect(seen.split('\r\n')[0]).toBe(`GET ${path} HTTP/1.1`)
    expect(headerIn(seen, 'host')).toBe(host)
  })

  it.each(['//evil.example/a', '///', '//', '/http://evil.example/', '/%2e%2e?x=%00', '/"<>\\^`{|}'])(
    '%s of a stream goes on as it is',
    async (target) => {
      const seen = await sentOn(`GET ${target} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`)
      expect(seen.split('\r\n')[0]).toBe(`GET ${target} HTTP/1.1`)
    },
  )
})

it('HTTP/1.0 without Host is served, under the name that the node has for itself', async () => {
  const seen = await sentOn('GET /x HTTP/1.0\r\n\r\n')
  expect(headerIn(seen, 'host')).toBe(`127.0.0.1:${node.port}`)
  expect(headerIn(seen, 'x-forwarded-host')).toBeUndefined()
  requests.length = 0
  const stream = await sentOn('GET /x HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n')
  expect(headerIn(stream, 'host')).toBe(`127.0.0.1:${node.port}`)
})
