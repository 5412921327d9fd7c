// What an attacker with a socket to the operators' listener may send: odd methods, bodies, paths and headers, and nothing
// at all, slowly.
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { adminApp } from '../../gateway/admin/app.ts'
import { bodyBytesAtMost } from '../../gateway/admin/dispatch.ts'
import { type ListenerBounds, listenerBounds, openAdmin } from '../../gateway/admin/open.ts'
import request from 'supertest'
import { testConfig } from '../support/gateway.ts'
import { type Api, openApi } from '../support/operators.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { listening } from '../support/silent-observer.ts'

let api: Api
let port: number
const started = new AsyncDisposableStack()
beforeAll(async () => {
  api = started.use(await openApi())
  port = await open(api.app)
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await started.disposeAsync()
})

const config = testConfig([{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }], '/nowhere')

const open = (app: ReturnType<typeof adminApp>, bounds: Partial<ListenerBounds> = {}): Promise<number> =>
  openAdmin(config, app, listening().observer, started, { ...listenerBounds, ...bounds })

/** One request by hand, with the admin's token. */
async function raw(head: string, body = ''): Promise<{ status: number; text: string }> {
  const authorization = `Authorization: Bearer ${api.admin}`
  const { text } = await sendRaw(
    port,
    `${head}\r\nHost: x\r\n${authorization}\r\nConnection: close\r\n\r\n${body}`,
  )
  return { status: statusOf(text), text }
}

const hold = { kind: 'drain', node: 'xian-1', reason: 'a test', seconds: 60 }
const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  request(api.app)
    .post('/api/v1/holds')
    .set({ Authorization: `Bearer ${api.admin}`, 'Content-Type': 'application/json', ...headers })
    .send(body)

describe('methods', () => {
  it('HEAD answers as GET does, without a body', async () => {
    const { status, text } = await raw('HEAD /api/v1/me HTTP/1.1')
    expect([status, text.split('\r\n\r\n')[1]]).toEqual([200, ''])
    expect(text).toMatch(/content-length: \d\d/i)
  })

  it.each(['OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'POST'])(
    '%s is not one of a resource that is read',
    async (method) => {
      const { status, text } = await raw(`${method} /api/v1/me HTTP/1.1`)
      expect([status, /Allow: (.*)/.exec(text)?.[1]?.trim()]).toEqual([405, 'GET, HEAD'])
      expect(text).not.toContain(api.admin)
      expect(text).not.toMatch(/access-control-/i)
    },
  )

  it.each(['CONNECT x:1 HTTP/1.1', 'GARBAGE /api/v1/me HTTP/1.1', 'GET /api/v1/me HTTP/9.9', '\u0000'])(
    '%j is not answered with success',
    async (head) => {
      const { status } = await raw(head)
      expect([0, 400, 404, 505]).toContain(status)
    },
  )
})

describe('bodies', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ])('of %s are not read: a form of another site can send no other', async (type) => {
    const answer = await post(JSON.stringify(hold), { 'Content-Type': type }).expect(415)
    await api.asDocumented('post', '/holds', answer)
  })

  it.each([
    ['compressed', gzipSync(JSON.stringify(hold)), { 'Content-Encoding': 'gzip' }, 415],
    [
      'in another character set',
      JSON.stringify(hold),
      { 'Content-Type': 'application/json; charset=gbk' },
      415,
    ],
    ['in UTF-7', JSON.stringify(hold), { 'Content-Type': 'application/json; charset="utf-7"' }, 415],
    ['in UTF-16', JSON.stringify(hold), { 'Content-Type': 'application/json;charset=UTF-16LE' }, 415],
    ['one byte too long', `"${'x'.repeat(bodyBytesAtMost - 1)}"`, {}, 413],
    ['no JSON', '{"kind": drain}', {}, 400],
    ['nested fifty thousand deep', '['.repeat(50_000) + ']'.repeat(50_000), {}, 400],
    ['nested fifty thousand deep in objects', '{"a":'.repeat(40_000) + '1' + '}'.repeat(40_000), {}, 400],
    [
      'with half a surrogate pair',
      '{"kind":"drain","node":"xian-1","reason":"\\ud800","seconds":5}',
      {},
      400,
    ],
    ['with what moves a terminal’s cursor', JSON.stringify({ ...hold, reason: '\u001b[2J' }), {}, 400],
    ['with what turns text round', JSON.stringify({ ...hold, reason: 'x\u202ey' }), {}, 400],
    [
      'with a prototype',
      '{"__proto__":{"kind":"trip"},"kind":"drain","node":"xian-1","reason":"x","seconds":5}',
      {},
      422,
    ],
    ['with a constructor', JSON.stringify({ ...hold, constructor: { prototype: {} } }), {}, 422],
    ['nothing', '', {}, 422],
    ['null', 'null', {}, 422],
  ])('%s', async (_, body, headers, status) => {
    const answer = await post(body, headers).expect(status)
    await api.asDocumented('post', '/holds', answer)
    expect(Object.hasOwn(Object.prototype, 'kind')).toBe(false)
  })

  it('that name a field twice mean the last, as JSON readers do; one reader sees it', async () => {
    const answer = await post(
      '{"kind":"trip","kind":"drain","node":"xian-1","reason":"x","seconds":5}',
    ).expect(201)
    expect(answer.body.kind).toBe('drain')
  })

  it('may say that they are UTF-8', async () => {
    await post(JSON.stringify(hold), { 'Content-Type': 'application/json; charset=UTF-8' }).expect(201)
  })

  it('may hold line breaks and what people write', async () => {
    const reason = '机房断电\n第二次 😀 → ü\tend'
    expect((await post(JSON.stringify({ ...hold, reason })).expect(201)).body.reason).toBe(reason)
  })

  it('that lie about their length get one answer', async () => {
    const both = 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json'
    expect((await raw(`POST /api/v1/holds HTTP/1.1\r\n${both}`, '0\r\n\r\n')).status).toBe(400)
    const twice = 'Content-Length: 2\r\nContent-Length: 3'
    expect((await raw(`POST /api/v1/holds HTTP/1.1\r\n${twice}`, '{}')).status).toBe(400)
  })
})

describe('paths', () => {
  it.each([
    ['/api/v1/tokens/..%2f..%2fme', 404],
    ['/api/v1/tokens/%2e%2e%2fholds', 404],
    ['/api/v1/tokens/../me', 404],
    ['/api/v1//me', 404],
    ['//api/v1/me', 404],
    ['/api/v1/me/', 404],
    ['/API/V1/me', 404],
    ['/api/v1/me%00', 404],
    ['/api/v1/tokens/x%00y', 400],
    ['/api/v1/tokens/%ff', 400],
    ['/api/v1/tokens/%', 400],
    ['/api/v1/tokens/__proto__', 404],
    ['/api/v1/tokens/constructor', 404],
    [`/api/v1/tokens/${'a'.repeat(8000)}`, 404],
    [`/${'a/'.repeat(4000)}`, 404],
    ['/api/v1/me?__proto__=1', 422],
    ['/api/v1/me?x[__proto__]=1', 422],
    ['/api/v1/audit?limit=1&limit=2', 422],
    [`/api/v1/audit?${'a&'.repeat(3000)}`, 422],
    ['http://elsewhere.example/api/v1/me', 200],
  ])('%s is answered %d', async (path, status) => {
    const answer = await raw(`GET ${path} HTTP/1.1`)
    expect(answer.status).toBe(status)
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d/)
  })

  it('longer than a head may be are refused before anybody looks', async () => {
    expect((await raw(`GET /${'a'.repeat(17_000)} HTTP/1.1`)).status).toBe(431)
  })
})

describe('headers', () => {
  it('many are all read, so that none is left out', async () => {
    const many = Array.from({ length: 1500 }, (_, i) => `a${i}:b`).join('\r\n')
    const { status } = await raw(
      `DELETE /api/v1/tokens/nobody1?reason=x HTTP/1.1\r\n${many}\r\nIf-Match: "1"`,
    )
    expect(status).toBe(404)
  })

  it('beyond 16 KB are refused', async () => {
    const flood = Array.from({ length: 40 }, (_, i) => `a${i}: ${'b'.repeat(500)}`).join('\r\n')
    expect((await raw(`GET /api/v1/me HTTP/1.1\r\n${flood}`)).status).toBe(431)
  })

  it('tell browsers what these pages may do, and not what serves them', async () => {
    const { headers } = await api.get('/me').expect(200)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
    const policy = headers['content-security-policy']?.split(';')
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
      ]),
    )
    // On a listener without TLS it would ask for styles where nobody answers.
    expect(policy).not.toContain('upgrade-insecure-requests')
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('server')
  })
})

describe('connections', () => {
  const quick = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 }

  it('that send no whole head are let go of', async () => {
    const slow = await open(api.app, quick)
    const { text, closed } = await sendRaw(slow, 'GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect([statusOf(text), closed]).toEqual([408, true])
  })

  it('that send no whole body are let go of', async () => {
    const slow = await open(api.app, quick)
    const head = `POST /api/v1/holds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.admin}`
    const { text, closed } = await sendRaw(
      slow,
      `${head}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"kind":`,
    )
    expect([statusOf(text), closed]).toEqual([408, true])
  })

  it('that ask nothing any more are closed', async () => {
    const idle = await open(api.app, { keepAliveTimeout: 100 })
    const { text, closed } = await sendRaw(idle, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    expect([statusOf(text), closed]).toEqual([200, true])
  })

  it('beyond the bound are closed at once, and room comes back', async () => {
    const full = await open(api.app, { connections: 5 })
    const sockets: Socket[] = []
    for (let i = 0; i < 5; i++) {
      const socket = connect({ port: full, host: '127.0.0.1' })
      await once(socket, 'connect')
      sockets.push(socket)
    }
    const refused = await sendRaw(full, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect([refused.text, refused.closed]).toEqual(['', true])
    for (const socket of sockets) {
      socket.destroy()
      await once(socket, 'close')
    }
    let again = ''
    // The server hears of the closed ones a moment later.
    for (let i = 0; i < 50 && statusOf(again) !== 200; i++) {
      again = (await sendRaw(full, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).text
    }
    expect(statusOf(again)).toBe(200)
  })

  it('have the bounds that this file says by default', () => {
    const server = createServer()
    expect(listenerBounds.headersTimeout).toBeLessThan(server.headersTimeout)
    expect(listenerBounds.requestTimeout).toBeLessThan(server.requestTimeout)
  })
})
