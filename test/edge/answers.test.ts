// A node's answer arrives as it was meant, however oddly it is framed, and the connection stays usable after it.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { headerIn, wireUpstream } from '../support/wire.ts'

const ways = [
  { way: 'held', accept: '' },
  { way: 'stream', accept: 'Accept: text/event-stream\r\n' },
]
const large = 'L'.repeat(500_000)
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

interface Answer {
  readonly name: string
  readonly method?: string
  readonly bytes: string
  /** The node closes after it. */
  readonly closes?: boolean
  readonly status: number
  readonly length?: string
  readonly body: string
}

const answers: Answer[] = [
  { name: '204', bytes: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: '' },
  {
    name: '204 with a length of 0',
    bytes: 'HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n',
    status: 204,
    body: '',
  },
  {
    name: '304 with the length of what it stands for',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n',
    status: 304,
    length: '1234',
    body: '',
  },
  {
    name: 'HEAD with a length',
    method: 'HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
    status: 200,
    length: '1234',
    body: '',
  },
  {
    name: 'HEAD with a length above what is held',
    method: 'HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 12345678\r\n\r\n',
    status: 200,
    length: '12345678',
    body: '',
  },
  {
    name: 'HEAD of what would come chunked',
    method: 'HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    status: 200,
    body: '',
  },
  {
    name: 'no bytes',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    status: 200,
    length: '0',
    body: '',
  },
  { name: 'no reason phrase', bytes: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', status: 200, body: 'ok' },
  {
    name: 'a status of its own',
    bytes: 'HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok',
    status: 299,
    body: 'ok',
  },
  { name: '404', bytes: 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno', status: 404, body: 'no' },
  {
    name: 'chunks with extensions and trailers',
    bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: 1\r\n\r\n`,
    status: 200,
    body: 'ok',
  },
  {
    name: 'HTTP/1.0 ended by closing',
    bytes: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold words',
    closes: true,
    status: 200,
    body: 'old words',
  },
  {
    name: 'HTTP/1.1 ended by closing',
    bytes: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwords',
    closes: true,
    status: 200,
    body: 'words',
  },
  {
    name: 'a large answer with a length',
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n${large}`,
    status: 200,
    length: String(large.length),
    body: large,
  },
  {
    name: 'a large answer in chunks',
    bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(large)}${chunk('end')}0\r\n\r\n`,
    status: 200,
    body: `${large}end`,
  },
  {
    name: 'a large answer ended by closing',
    bytes: `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${large}`,
    closes: true,
    status: 200,
    body: large,
  },
  {
    name: 'bytes of every value',
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n${String.fromCharCode(...Array(256).keys())}`,
    status: 200,
    body: String.fromCharCode(...Array(256).keys()),
  },
]

/** The content of the first answer in `text`, by the framing that it declares, and what is left after it. */
function firstAnswer(text: string, method: string): { body: string; rest: string } {
  const start = text.indexOf('\r\n\r\n') + 4
  const status = statusOf(text)
  if (method === 'HEAD' || status === 204 || status === 304) return { body: '', rest: text.slice(start) }
  if (headerIn(text, 'transfer-encoding') !== 'chunked') {
    const end = start + Number(headerIn(text, 'content-length'))
    return { body: text.slice(start, end), rest: text.slice(end) }
  }
  let body = ''
  let at = start
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    expect(size).toBeGreaterThanOrEqual(0)
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 4 + size
    if (size === 0) return { body, rest: text.slice(at) }
  }
}

describe.each(ways)('$way', ({ accept }) => {
  it.each(answers)('$name', async ({ method = 'GET', bytes, closes, status, length, body }) => {
    await using node = await wireUpstream((request, socket) => {
      if (request.includes('/second')) return 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond'
      socket.write(bytes, 'latin1')
      if (closes === true) socket.end()
      return undefined
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const first = `${method} /first HTTP/1.1\r\nHost: a\r\n${accept}\r\n`
    const second = 'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    const { text } = await sendRaw(edge.port, first + second)
    expect(statusOf(text)).toBe(status)
    const answer = firstAnswer(text, method)
    expect(answer.body === body).toBe(true)
    if (length !== undefined) expect(headerIn(text, 'content-length')).toBe(length)
    expect(statusOf(answer.rest)).toBe(200)
    expect(firstAnswer(answer.rest, 'GET')).toEqual({ body: 'second', rest: '' })
  })

  it('an HTTP/1.0 client gets no chunks', async () => {
    await using node = await wireUpstream(
      () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('ok')}0\r\n\r\n`,
    )
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const { text, closed } = await sendRaw(edge.port, `GET / HTTP/1.0\r\nHost: a\r\n${accept}\r\n`)
    expect(headerIn(text, 'transfer-encoding')).toBeUndefined()
    expect(text.slice(text.indexOf('\r\n\r\n'))).toBe('\r\n\r\nok')
    expect(closed).toBe(true)
  })

  it.each([
    { name: 'two lengths', head: 'Content-Length: 2\r\nContent-Length: 3\r\n' },
    { name: 'two equal lengths', head: 'Content-Length: 2\r\nContent-Length: 2\r\n' },
    { name: 'a length that is none', head: 'Content-Length: two\r\n' },
    { name: 'length and chunks', head: 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n' },
    { name: 'chunks and length', head: 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n' },
    { name: 'a folded header', head: 'X-A: b\r\n c\r\nContent-Length: 2\r\n' },
    { name: 'a NUL in a header', head: 'X-A: b\0c\r\nContent-Length: 2\r\n' },
    { name: 'a bare line feed', head: 'X-A: b\nX-B: c\r\nContent-Length: 2\r\n' },
    { name: 'headers without end', head: `X-A: ${'a'.repeat(100_000)}\r\n` },
  ])('an answer with $name counts as no answer, and the next node is asked', async ({ head }) => {
    await using node = await wireUpstream(() => `HTTP/1.1 200 OK\r\n${head}\r\nok`)
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': node.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${accept}\r\n`, {
      until: 'neighbour',
    })
    expect(statusOf(text)).toBe(200)
    expect(text).not.toContain('X-A')
    expect(node.seen.length).toBeGreaterThan(0)
  })
})
