// Message boundaries (RFC 9112): what two parsers could read differently is refused, and nothing after it is served.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { type Wire, wireUpstream } from '../support/wire.ts'

let node: Wire
let edge: TestGateway

beforeAll(async () => {
  node = await wireUpstream()
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
})

afterAll(async () => {
  await edge.close()
  await node.close()
})

/** Leaves a warm connection to the node, over which a request that slips through would go at once. */
const warmUp = async (): Promise<string> => {
  await (await fetch(`${edge.url}/warm-up`)).text()
  return node.seen.join('')
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const host = 'Host: a\r\n'

interface Attack {
  readonly name: string
  readonly bytes: string
  readonly reason?: string
  readonly status?: number
}

const attacks: Attack[] = [
  {
    name: 'Transfer-Encoding and Content-Length',
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Content-Length after Transfer-Encoding',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'two Content-Lengths that differ',
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 44\r\n\r\n`,
  },
  {
    name: 'two equal Content-Lengths',
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`,
  },
  { name: 'a Content-Length list', bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\nx` },
  { name: 'Content-Length with a plus', bytes: `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\nx` },
  { name: 'a negative Content-Length', bytes: `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\nx` },
  { name: 'a hexadecimal Content-Length', bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\nx` },
  { name: 'an empty Content-Length', bytes: `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\nx` },
  {
    name: 'a Content-Length beyond numbers',
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999999\r\n\r\nx`,
  },
  {
    name: 'Transfer-Encoding other than chunked',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding identity',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`,
  },
  {
    name: 'chunked not last',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'chunked twice',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding hidden by a vertical tab',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding with a space before the colon',
    bytes: `POST / HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n\r\n' },
  { name: 'HTTP/2 in HTTP/1 clothes', bytes: `GET / HTTP/2.0\r\n${host}\r\n` },
  { name: 'an unknown version', bytes: `GET / HTTP/1.2\r\n${host}\r\n` },
  { name: 'a folded header', bytes: `GET / HTTP/1.1\r\n${host}X-A: one\r\n two\r\n\r\n` },
  { name: 'a header without a colon', bytes: `GET / HTTP/1.1\r\n${host}nonsense\r\n\r\n` },
  { name: 'a header without a name', bytes: `GET / HTTP/1.1\r\n${host}: x\r\n\r\n` },
  { name: 'a space in a header name', bytes: `GET / HTTP/1.1\r\n${host}X A: b\r\n\r\n` },
  { name: 'line ends without carriage return', bytes: 'GET / HTTP/1.1\nHost: a\n\n' },
  { name: 'a bare line feed inside a header', bytes: `GET / HTTP/1.1\r\n${host}X-A: b\nX-B: c\r\n\r\n` },
  {
    name: 'a bare carriage return inside a header',
    bytes: `GET / HTTP/1.1\r\n${host}X-A: b\rX-B: c\r\n\r\n`,
  },
  { name: 'NUL in a header', bytes: `GET / HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n` },
  { name: 'NUL in the target', bytes: `GET /\0 HTTP/1.1\r\n${host}\r\n` },
  { name: 'a space in the target', bytes: `GET /a b HTTP/1.1\r\n${host}\r\n` },
  { name: 'bytes beyond ASCII in the target', bytes: `GET /\xe9 HTTP/1.1\r\n${host}\r\n` },
  { name: 'an unknown method', bytes: `SMUGGLE / HTTP/1.1\r\n${host}\r\n` },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n', reason: 'bad-host' },
  { name: 'an empty Host', bytes: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', reason: 'bad-host' },
  { name: 'two Hosts', bytes: `GET / HTTP/1.1\r\n${host}Host: b\r\n\r\n`, reason: 'bad-host' },
  { name: 'two equal Hosts', bytes: `GET / HTTP/1.1\r\n${host}${host}\r\n`, reason: 'bad-host' },
  { name: 'a Host with a path', bytes: 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', reason: 'bad-host' },
  { name: 'a Host with a user', bytes: 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', reason: 'bad-host' },
  {
    name: 'a Host with a blank beside an absolute target',
    bytes: 'GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n',
    reason: 'bad-host',
  },
  { name: 'a Host with a blank', bytes: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', reason: 'bad-host' },
  { name: 'a target with a fragment', bytes: `GET /a#b HTTP/1.1\r\n${host}\r\n`, reason: 'bad-target' },
  { name: 'a target of another scheme', bytes: `GET ftp://a/ HTTP/1.1\r\n${host}\r\n`, reason: 'bad-target' },
  { name: 'OPTIONS *', bytes: `OPTIONS * HTTP/1.1\r\n${host}\r\n`, reason: 'bad-target' },
  { name: 'TRACE', bytes: `TRACE / HTTP/1.1\r\n${host}\r\n`, reason: 'method', status: 405 },
  { name: 'CONNECT', bytes: `CONNECT a:443 HTTP/1.1\r\n${host}\r\n`, reason: 'method', status: 405 },
  {
    name: 'an expectation nobody knows',
    bytes: `GET / HTTP/1.1\r\n${host}Expect: miracles\r\n\r\n`,
    reason: 'expectation',
    status: 417,
  },
]

describe('a request with a boundary in doubt is refused, and what follows it never reaches a node', () => {
  it.each(attacks)('$name', async ({ bytes, reason, status }) => {
    const labels = `reason="${reason ?? 'bad-framing'}"`
    const before = await edge.metric('chiyuan_refusals_total', labels)
    const seen = await warmUp()
    const { text, closed } = await sendRaw(edge.port, bytes + smuggled + smuggled)
    if (status === undefined) expect([400, 405]).toContain(statusOf(text))
    else expect(statusOf(text)).toBe(status)
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(text).toMatch(/^Content-Type: application\/problem\+json/m)
    expect(closed).toBe(true)
    expect(node.seen.join('')).toBe(seen)
    expect(await edge.metric('chiyuan_refusals_total', labels)).toBe(before + 1)
  })
})

describe('a body that breaks is refused, and no node sees any of it', () => {
  it.each([
    { name: 'a chunk size that is none', body: 'zz\r\nabc\r\n0\r\n\r\n' },
    { name: 'a chunk shorter than its size', body: '5\r\nabc\r\n0\r\n\r\n' },
    { name: 'a chunk longer than its size', body: '2\r\nabc\r\n0\r\n\r\n' },
    { name: 'a negative chunk size', body: '-1\r\nabc\r\n0\r\n\r\n' },
    { name: 'a chunk size beyond numbers', body: 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n' },
    { name: 'a chunk size with 0x', body: '0x3\r\nabc\r\n0\r\n\r\n' },
    { name: 'a chunk ended by a bare line feed', body: '3\nabc\n0\n\n' },
    {
      name: 'a trailer that would change the framing',
      body: '3\r\nabc\r\n0\r\nContent-Length: 99\r\n\r\n',
    },
    { name: 'a bare line feed in a chunk extension', body: '3;a\nabc\r\n0\r\n\r\n' },
  ])('$name', async ({ body }) => {
    const labels = 'reason="bad-framing"'
    const before = await edge.metric('chiyuan_refusals_total', labels)
    const seen = await warmUp()
    const head = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`
    const { text, closed } = await sendRaw(edge.port, head + body + smuggled)
    expect(statusOf(text)).toBe(400)
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(closed).toBe(true)
    expect(node.seen.join('')).toBe(seen)
    expect(await edge.metric('chiyuan_refusals_total', labels)).toBe(before + 1)
  })
})
