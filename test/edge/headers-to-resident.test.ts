// What a resident is told: the node's answer whole, and nothing of which node gave it.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { headerIn, wireUpstream } from '../support/wire.ts'

const ways = [
  { way: 'held', head: '' },
  { way: 'stream', head: 'Accept: text/event-stream\r\n' },
]

interface Asked {
  /** Headers of the answer; `NODE` stands for the node's host and port. */
  readonly answer: string
  readonly path?: string
  readonly base?: string
  readonly send?: string
  readonly changes?: Record<string, unknown>
}

async function ask({ answer, path = '/', base = '', send = '', changes = {} }: Asked): Promise<string> {
  let authority = ''
  await using node = await wireUpstream(
    () => `HTTP/1.1 200 OK\r\n${answer.replaceAll('NODE', authority)}Content-Length: 2\r\n\r\nok`,
  )
  authority = `127.0.0.1:${node.port}`
  await using edge: TestGateway = await startTestGateway(
    [{ code: '610100', nodes: { 'xian-1': node.url + base } }],
    changes,
  )
  const request = `GET ${path} HTTP/1.1\r\nHost: jkm.example:8100\r\n${send}\r\n`
  const { text } = await sendRaw(edge.port, request, { until: '\r\n\r\nok' })
  expect(text).not.toContain(authority)
  expect(text).not.toContain('xian-1')
  return text
}

const prefixed = { home: { pathPrefix: '/r/{home}' } }

describe.each(ways)('$way', ({ head }) => {
  it('keeps names as spelt, their order, and repeated headers', async () => {
    const text = await ask({
      answer: 'X-MixedCase: 1\r\nx-lower: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Utf: \xe4\xb8\xad\r\n',
      send: head,
    })
    expect(text).toMatch(
      /X-MixedCase: 1\r\nx-lower: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Utf: \xe4\xb8\xad\r\n/,
    )
  })

  it('tells nothing of who answered', async () => {
    const text = await ask({
      answer:
        'Server: nginx/1.22 on xian-1\r\nVia: 1.1 xian-1\r\nX-Powered-By: Express\r\nX-Served-By: xian-1\r\n' +
        'X-Chiyuan-Route: node=xian-1\r\nAlt-Svc: h3="NODE"\r\nX-Backend-Server: xian-1\r\n' +
        'X-Request-Id: of-the-node\r\n',
      send: head,
    })
    expect(text).not.toMatch(/nginx|Express|of-the-node|^(via|server|alt-svc|x-chiyuan)/im)
    expect(headerIn(text, 'x-request-id')).toMatch(/^[0-9a-f]{32}$/)
  })

  it('takes off what is for one connection alone', async () => {
    const text = await ask({
      answer:
        'Connection: X-Private, keep-alive\r\nX-Private: 1\r\nKeep-Alive: timeout=7\r\nProxy-Authenticate: Basic\r\n' +
        'Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nTrailer: X-T\r\nTE: trailers\r\nX-Kept: 1\r\n',
      send: head,
    })
    expect(text).not.toMatch(/^(x-private|proxy-|upgrade|trailer|te):/im)
    expect(text).not.toContain('timeout=7')
    expect(headerIn(text, 'x-kept')).toBe('1')
  })

  it.each([
    { sent: 'http://NODE/next?a#b', seen: 'http://jkm.example:8100/next?a#b' },
    { sent: '//NODE/next', seen: 'http://jkm.example:8100/next' },
    { sent: '/next', seen: '/next' },
    { sent: 'next', seen: 'next' },
    { sent: 'https://other.example/x', seen: 'https://other.example/x' },
    { sent: 'https://jkm.example:8100/secure', seen: 'https://jkm.example:8100/secure' },
    { sent: '/login?next=https://other.example/', seen: '/login?next=https://other.example/' },
  ])('Location $sent becomes $seen', async ({ sent, seen }) => {
    const text = await ask({ answer: `Location: ${sent}\r\nContent-Location: ${sent}\r\n`, send: head })
    expect(headerIn(text, 'location')).toBe(seen)
    expect(headerIn(text, 'content-location')).toBe(seen)
  })

  it.each([
    { sent: 'http://NODE/next', seen: 'http://jkm.example:8100/r/610100/next' },
    { sent: '/next', seen: '/r/610100/next' },
    { sent: '/', seen: '/r/610100/' },
    { sent: '/login?next=https://other.example/', seen: '/r/610100/login?next=https://other.example/' },
    { sent: '/login?next=//x', seen: '/r/610100/login?next=//x' },
    { sent: 'next', seen: 'next' },
    { sent: 'https://other.example/x', seen: 'https://other.example/x' },
  ])('Location $sent behind a prefix becomes $seen', async ({ sent, seen }) => {
    const asked = { path: '/r/610100/here', changes: prefixed, send: head }
    expect(headerIn(await ask({ ...asked, answer: `Location: ${sent}\r\n` }), 'location')).toBe(seen)
  })

  it.each([
    { sent: '5; url=http://NODE/next', seen: '5; url=http://jkm.example:8100/r/610100/next' },
    { sent: '5;URL=/next', seen: '5;URL=/r/610100/next' },
    { sent: '5', seen: '5' },
    { sent: "0; url='http://NODE/a'", seen: "0; url='http://jkm.example:8100/r/610100/a'" },
  ])('Refresh $sent becomes $seen', async ({ sent, seen }) => {
    const asked = { path: '/r/610100/here', changes: prefixed, send: head }
    expect(headerIn(await ask({ ...asked, answer: `Refresh: ${sent}\r\n` }), 'refresh')).toBe(seen)
  })

  it('Link targets follow', async () => {
    const text = await ask({
      answer:
        'Link: </v1/tests?page=2>; rel=next, <http://NODE/a>; rel=prev, <https://cdn.example/a>; rel=preload\r\n',
      path: '/r/610100/here',
      changes: prefixed,
      send: head,
    })
    expect(headerIn(text, 'link')).toBe(
      '</r/610100/v1/tests?page=2>; rel=next, <http://jkm.example:8100/r/610100/a>; rel=prev, ' +
        '<https://cdn.example/a>; rel=preload',
    )
  })

  it.each([
    { sent: 'http://NODE/app/next', seen: 'http://jkm.example:8100/next' },
    { sent: '/app/next', seen: '/next' },
    { sent: '/app', seen: '/' },
    { sent: '/app?a', seen: '/?a' },
    { sent: '/application', seen: '/application' },
    { sent: '/app//evil.example/', seen: '/.//evil.example/' },
  ])('Location $sent of a node with a base path becomes $seen', async ({ sent, seen }) => {
    const text = await ask({ answer: `Location: ${sent}\r\n`, base: '/app/', send: head })
    expect(headerIn(text, 'location')).toBe(seen)
  })

  it.each([
    { sent: 's=1; Domain=127.0.0.1; Path=/', seen: 's=1; Path=/r/610100/' },
    { sent: 's=1; domain=.jkm.example; Secure', seen: 's=1; domain=.jkm.example; Secure' },
    { sent: 's=1; Domain=example; HttpOnly', seen: 's=1; Domain=example; HttpOnly' },
    { sent: 's=1; Domain=backend.internal; Path=/a', seen: 's=1; Path=/r/610100/a' },
    { sent: 'path=/a; Max-Age=5', seen: 'path=/a; Max-Age=5' },
  ])('cookie $sent becomes $seen', async ({ sent, seen }) => {
    const asked = { path: '/r/610100/here', changes: prefixed, send: head }
    expect(headerIn(await ask({ ...asked, answer: `Set-Cookie: ${sent}\r\n` }), 'set-cookie')).toBe(seen)
  })

  it('sends a resident who came by TLS to a trusted proxy back to TLS', async () => {
    const text = await ask({
      answer: 'Location: http://jkm.example:8100/next\r\nContent-Location: http://NODE/x\r\n',
      send: `${head}X-Forwarded-Proto: https\r\n`,
      changes: { headers: { trustedProxies: ['127.0.0.1'] } },
    })
    expect(headerIn(text, 'location')).toBe('https://jkm.example:8100/next')
    expect(headerIn(text, 'content-location')).toBe('https://jkm.example:8100/x')
  })

  it('names the node to operators alone', async () => {
    await using node = await wireUpstream()
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      headers: { operatorAddresses: ['127.0.0.1'] },
    })
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${head}\r\n`, {
      until: '\r\n\r\nok',
    })
    expect(headerIn(text, 'x-chiyuan-route')).toBe(
      'home=610100; level=local; region=610100; node=xian-1; attempts=1',
    )
  })
})

it('a redirect for a request without Host stays on this host', async () => {
  await using node = await wireUpstream(() => {
    return `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${node.port}/next\r\nContent-Length: 2\r\n\r\nok`
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const { text } = await sendRaw(edge.port, 'GET / HTTP/1.0\r\n\r\n')
  expect(headerIn(text, 'location')).toBe('/next')
})
