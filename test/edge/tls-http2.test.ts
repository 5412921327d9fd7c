// TLS and HTTP/2 on the residents' listener: the same service, the same silence, the same limits.
import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { get as httpsGet } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { answerOf, connectH2, request } from '../support/h2-client.ts'
import { type SelfSigned, selfSigned } from '../support/self-signed.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

const large = Buffer.alloc(1_000_000, 'L')
let files: SelfSigned
let node: Upstream
let edge: TestGateway

beforeAll(async () => {
  files = await selfSigned()
  node = await httpUpstream((incoming, response) => {
    const { url } = incoming
    if (url === '/large') response.end(large)
    else if (url === '/dies') response.write(large, () => setTimeout(() => response.destroy(), 20))
    else if (url === '/hint') {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('hinted')
    } else if (url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      setTimeout(() => response.write('data: two\n\n'), 300)
      response.on('close', () => (eventsOpen = false))
      eventsOpen = true
    } else {
      void textOf(incoming).then((body) => {
        response.setHeader('set-cookie', ['a=1', 'b=2'])
        response.setHeader('location', `http://127.0.0.1:${node.port}/next`)
        response.end(
          JSON.stringify({ method: incoming.method, url, headers: incoming.headers, length: body.length }),
        )
      })
    }
  })
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
    attempts: { idleTimeoutMs: 150, attemptTimeoutMs: 1000 },
    limits: { bodyTimeoutMs: 400, uploadBytes: 3_000_000, urlBytes: 2000 },
  })
})

afterAll(async () => {
  await edge.close()
  await node.close()
  await files[Symbol.asyncDispose]()
})

let eventsOpen = false

/** What the node was sent, as it tells. */
const told = (
  body: Buffer,
): { method: string; url: string; headers: Record<string, string>; length: number } =>
  JSON.parse(body.toString())

describe('HTTP/2', () => {
  it('GET: served, with the way told and nothing about the node', async () => {
    using h2 = connectH2(edge.port)
    const answer = await request(h2.session, {
      ':path': '/v1/codes/R1?a=b',
      ':authority': 'jkm.example',
      te: 'trailers',
    })
    expect([answer.status, answer.whole]).toEqual([200, true])
    const { method, url, headers } = told(answer.body)
    expect([method, url, headers['host']]).toEqual(['GET', '/v1/codes/R1?a=b', 'jkm.example'])
    expect(headers['x-forwarded-proto']).toBe('https')
    expect(headers['via']).toBe('2.0 chiyuan')
    expect(headers['te']).toBeUndefined()
    expect(headers['transfer-encoding']).toBeUndefined()
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(answer.headers['location']).toBe('https://jkm.example/next')
    expect(answer.headers['connection']).toBeUndefined()
  })

  it('cookies that were split are joined', async () => {
    using h2 = connectH2(edge.port)
    const answer = await request(h2.session, { ':path': '/', cookie: ['a=1', 'b=2', 'c=3'] })
    expect(told(answer.body).headers['cookie']).toBe('a=1; b=2; c=3')
  })

  it.each([
    { name: 'without a body', body: '', length: undefined },
    { name: 'with a body', body: 'hello', length: '5' },
    { name: 'with a body of no declared length', body: 'hello', length: undefined },
    { name: 'with a long body', body: 'x'.repeat(2_000_000), length: '2000000' },
    { name: 'with a long body of no declared length', body: 'x'.repeat(2_000_000), length: undefined },
  ])('POST $name arrives whole', async ({ body, length }) => {
    using h2 = connectH2(edge.port)
    const headers = {
      ':path': '/',
      ':method': 'POST',
      ...(length === undefined ? {} : { 'content-length': length }),
    }
    const answer = await request(h2.session, headers, body)
    expect([answer.status, answer.whole, told(answer.body).length]).toEqual([200, true, body.length])
  })

  it('HEAD has no body, a large answer is whole, hints come first', async () => {
    using h2 = connectH2(edge.port)
    const head = await request(h2.session, { ':path': '/large', ':method': 'HEAD' })
    expect([head.status, head.whole, head.body.length]).toEqual([200, true, 0])
    const got = await request(h2.session, { ':path': '/large' })
    expect([got.status, got.whole, got.body.equals(large)]).toEqual([200, true, true])
    const hinted = await request(h2.session, { ':path': '/hint' })
    expect([hinted.interim, hinted.status, hinted.body.toString()]).toEqual([[103], 200, 'hinted'])
  })

  it('an answer that its node breaks off is reset with an error, never ended', async () => {
    using h2 = connectH2(edge.port)
    for (const accept of ['*/*', 'text/event-stream']) {
      const answer = await request(h2.session, { ':path': '/dies', accept })
      expect([answer.status, answer.whole]).toEqual([200, false])
      expect(answer.resetCode).not.toBe(0)
      expect(answer.body.every((byte) => byte === 0x4c)).toBe(true)
    }
  })

  it('an event stream flows at once, survives silence, and ends at the node when its reader leaves', async () => {
    using h2 = connectH2(edge.port)
    const stream = h2.session.request({ ':path': '/events', accept: 'text/event-stream' })
    stream.setEncoding('utf8')
    expect(String((await once(stream, 'data'))[0])).toBe('data: one\n\n')
    expect(String((await once(stream, 'data'))[0])).toBe('data: two\n\n')
    expect(eventsOpen).toBe(true)
    stream.close()
    await eventually(() => expect(eventsOpen).toBe(false))
  })

  it('refusals are problems, and what was not read of a body does not hold the connection', async () => {
    using h2 = connectH2(edge.port)
    const long = await request(h2.session, { ':path': `/${'a'.repeat(2000)}` })
    expect(long.status).toBe(414)
    const slow = h2.session.request({ ':path': '/', ':method': 'POST' }, { endStream: false })
    slow.write('abc')
    expect((await answerOf(slow)).status).toBe(408)
    const large = h2.session.request(
      { ':path': '/', ':method': 'POST', 'content-length': '9000000' },
      { endStream: false },
    )
    expect((await answerOf(large)).status).toBe(413)
    expect((await request(h2.session, { ':path': '/' })).status).toBe(200)
    const trace = await request(h2.session, { ':path': '/', ':method': 'TRACE' })
    expect(trace.status).toBe(405)
    const loop = await request(h2.session, { ':path': '/', 'cdn-loop': 'chiyuan' })
    expect(loop.status).toBe(508)
  })

  it('a hundred requests at once over one connection', async () => {
    using h2 = connectH2(edge.port)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => request(h2.session, { ':path': `/n/${i}` })),
    )
    expect(answers.map(({ body }) => told(body).url)).toEqual(answers.map((_, i) => `/n/${i}`))
  })
})

describe('HTTP/1.1 over TLS on the same port', () => {
  it('is served, WebSocket included', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      httpsGet({ port: edge.port, path: '/one', rejectUnauthorized: false, agent: false }, (response) => {
        textOf(response).then(resolve, reject)
      }).on('error', reject)
    })
    expect(told(Buffer.from(answer)).headers['x-forwarded-proto']).toBe('https')
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(wss, 'listening')
    const address = wss.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    wss.on('connection', (socket) => socket.send('hello'))
    const other = await startTestGateway(
      [{ code: '610100', nodes: { 'xian-1': `http://127.0.0.1:${port}` } }],
      {
        public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
      },
    )
    const socket = new WebSocket(`wss://127.0.0.1:${other.port}/`, { rejectUnauthorized: false })
    expect(String((await once(socket, 'message'))[0])).toBe('hello')
    socket.terminate()
    await other.close()
    wss.close()
  })
})

describe('the certificate', () => {
  const subjectAt = async (port: number): Promise<string> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subject } = socket.getPeerCertificate()
    socket.destroy()
    return String(subject.CN)
  }

  it('is read again when it changes; a bad pair is refused and the old one kept', async () => {
    await using own = await selfSigned('old.example')
    await using gateway = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      public: { port: 0, tls: { certFile: own.certFile, keyFile: own.keyFile } },
    })
    expect(await subjectAt(gateway.port)).toBe('old.example')
    using h2 = connectH2(gateway.port)
    expect((await request(h2.session, { ':path': '/' })).status).toBe(200)
    await own.renew('new.example')
    await eventually(async () => expect(await subjectAt(gateway.port)).toBe('new.example'))
    expect((await request(h2.session, { ':path': '/' })).status).toBe(200)
    const refused = () => gateway.metric('chiyuan_reload_refused_total', 'what="certificate"')
    for (const spoil of [
      () => writeFile(own.certFile, 'no certificate'),
      () => copyFile(files.certFile, own.certFile),
      () => writeFile(own.certFile, ''),
    ]) {
      const before = await refused()
      await spoil()
      await eventually(async () => expect(await refused()).toBeGreaterThan(before))
      expect(await subjectAt(gateway.port)).toBe('new.example')
    }
  })
})

it('an expectation that nobody knows is refused with a problem over HTTP/2 too, and counted', async () => {
  using h2 = connectH2(edge.port)
  const before = await edge.metric('chiyuan_refusals_total', 'reason="expectation"')
  const answer = await request(h2.session, { ':path': '/', expect: 'a-miracle' })
  expect([answer.status, answer.body.toString().includes('urn:chiyuan:problem:expectation')]).toEqual([
    417,
    true,
  ])
  expect(await edge.metric('chiyuan_refusals_total', 'reason="expectation"')).toBe(before + 1)
})
