// HTTP/2 used as a weapon: few bytes that make much work. Whoever does it is stopped, and nobody else notices.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { connectH2, request } from '../support/h2-client.ts'
import {
  type Attacker,
  attacker,
  flags,
  frame,
  frameTypes,
  getPath,
  initialWindowSize,
  literal,
  newest,
  remembered,
  settings,
  uint32,
} from '../support/h2-frames.ts'
import { type SelfSigned, selfSigned } from '../support/self-signed.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

const enhanceYourCalm = 11
/** Below `heldResponseBytes`: such an answer is held until whole. */
const held = Buffer.alloc(200_000, 'H')
const long = Buffer.alloc(2_000_000, 'L')
/** Time for which a client may leave an answer unread. */
const unreadMs = 300

let files: SelfSigned
let node: Upstream
let othersNode: Upstream
let edge: TestGateway

beforeAll(async () => {
  files = await selfSigned()
  node = await httpUpstream(({ url }, response) => {
    if (url === '/held') response.end(held)
    else if (url === '/long') response.end(long)
    else if (url === '/slow') setTimeout(() => response.end('slow'), 50)
    else response.end('ok')
  })
  othersNode = await httpUpstream(named('ok'))
  const regions = [
    { code: '610100', nodes: { 'xian-1': node.url } },
    { code: '610400', nodes: { 'xianyang-1': othersNode.url } },
  ]
  edge = await startTestGateway(regions, {
    home: { header: 'x-home' },
    public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
    attempts: { idleTimeoutMs: unreadMs },
  })
})

afterAll(async () => {
  await edge.close()
  await node.close()
  await othersNode.close()
  await files[Symbol.asyncDispose]()
})

/** Somebody else's request, of another home, over a connection of its own, while the flood is under way. */
async function othersAreServed(): Promise<void> {
  const startedAt = performance.now()
  using h2 = connectH2(edge.port)
  const { status, body } = await request(h2.session, { ':path': '/', 'x-home': '610400' })
  expect([status, body.toString()]).toEqual([200, 'ok'])
  expect(performance.now() - startedAt).toBeLessThan(1500)
}

const isEnded = async (one: Attacker): Promise<void> => {
  await one.ended
  await eventually(async () => expect(await edge.metric('chiyuan_connections')).toBe(0))
}

const get = (i: number, path: string): Buffer =>
  frame(frameTypes.headers, flags.endStream | flags.endHeaders, i * 2 + 1, getPath(path))
const reset = (i: number): Buffer => frame(frameTypes.resetStream, flags.none, i * 2 + 1, uint32(8))
const times = (count: number, make: (i: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, i) => make(i))

/** Requests of the attacked home that came as far as the choice of a node, whatever became of them. */
async function letIn(): Promise<number> {
  const text = await (await fetch(`${edge.adminUrl}/metrics`)).text()
  const lines = [...text.matchAll(/^chiyuan_requests_total\{home="610100",.*\} (\d+)$/gm)]
  return lines.reduce((sum, [, count]) => sum + Number(count), 0)
}

describe('requests that are reset at once (CVE-2023-44487)', () => {
  it.each([
    { name: 'in one go', batch: 3000 },
    { name: 'in batches that nodes have time to hear of', batch: 15 },
  ])('$name: the connection ends after a few hundred', async ({ batch }) => {
    const asked = node.requests
    const before = await letIn()
    using one = await attacker(edge.port)
    for (let i = 0; i < 3000 && one.socket.writable; i += batch) {
      one.send(...times(batch, (k) => get(i + k, '/slow')))
      // Once the node has heard of them.
      if (batch < 3000) await othersAreServed()
      one.send(...times(batch, (k) => reset(i + k)))
    }
    await othersAreServed()
    await isEnded(one)
    expect((await letIn()) - before).toBeLessThan(600)
    expect(node.requests - asked).toBeLessThan(600)
  })

  it('reset together, a page’s worth of requests ends nothing', async () => {
    using h2 = connectH2(edge.port)
    for (let visit = 0; visit < 2; visit++) {
      const streams = Array.from({ length: 100 }, () => h2.session.request({ ':path': '/slow' }))
      const closed = streams.map(
        (stream) => new Promise((resolve) => stream.on('error', () => {}).once('close', resolve)),
      )
      for (const stream of streams) stream.close(8)
      await Promise.all(closed)
    }
    expect((await request(h2.session, { ':path': '/' })).status).toBe(200)
  })
})

describe('frames without end', () => {
  const header = literal('x-a', 'b'.repeat(50))
  it.each([
    {
      name: 'CONTINUATION (CVE-2024-27316)',
      make: () => frame(frameTypes.continuation, flags.none, 1, header),
    },
    { name: 'empty CONTINUATION', make: () => frame(frameTypes.continuation, flags.none, 1) },
  ])('$name ends the connection, and no node is asked', async ({ make }) => {
    const asked = node.requests
    using one = await attacker(edge.port)
    one.send(frame(frameTypes.headers, flags.none, 1, getPath('/')))
    one.send(...times(3000, make))
    await isEnded(one)
    expect(node.requests).toBe(asked)
    await othersAreServed()
  })

  it.each([
    { name: 'PING', make: () => frame(frameTypes.ping, flags.none, 0, Buffer.alloc(8)) },
    { name: 'SETTINGS', make: () => settings({ id: initialWindowSize, value: 70_000 }) },
  ])('$name whose answers nobody reads end the connection', async ({ make }) => {
    using one = await attacker(edge.port)
    one.socket.pause()
    one.send(...times(5000, make))
    await othersAreServed()
    one.socket.resume()
    await isEnded(one)
  })
})

describe('headers that are small on the wire and large behind it', () => {
  it.each([
    { name: 'by reference', block: Buffer.alloc(3000, newest) },
    { name: 'by number', block: Buffer.concat(times(3000, () => literal('a', 'b'))) },
  ])('$name: each request is refused, and no node is asked', async ({ block }) => {
    const asked = node.requests
    using one = await attacker(edge.port)
    const remember = remembered('x-a', 'b'.repeat(3900))
    const first = frame(
      frameTypes.headers,
      flags.endStream | flags.endHeaders,
      1,
      Buffer.concat([getPath('/'), remember]),
    )
    const bomb = Buffer.concat([getPath('/'), block])
    one.send(first)
    await eventually(() => expect(one.of(frameTypes.headers).length).toBe(1))
    one.send(
      ...times(200, (i) => frame(frameTypes.headers, flags.endStream | flags.endHeaders, i * 2 + 3, bomb)),
    )
    await othersAreServed()
    await eventually(() => expect(one.of(frameTypes.resetStream).length).toBe(200))
    // The first, which was in order.
    expect(node.requests - asked).toBe(1)
  })
})

function pinging(one: Attacker): Disposable {
  const timer = setInterval(() => one.send(frame(frameTypes.ping, flags.none, 0, Buffer.alloc(8))), 50)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

describe('answers that are never read', () => {
  it.each(['/held', '/long'])('%s: their streams are ended, and the next client is served', async (path) => {
    using one = await attacker(edge.port, { id: initialWindowSize, value: 0 })
    one.send(...times(15, (i) => get(i, path)))
    await eventually(() => expect(one.of(frameTypes.headers).length).toBe(15))
    // A connection that is alive in every other way.
    using _alive = pinging(one)
    await othersAreServed()
    await eventually(() => expect(one.of(frameTypes.resetStream).length).toBe(15), 4000)
    expect(one.of(frameTypes.data).every(({ payload }) => payload.length === 0)).toBe(true)
    if (path === '/held') {
      const codes = one.of(frameTypes.resetStream).map(({ payload }) => payload.readUInt32BE(0))
      expect(new Set(codes)).toEqual(new Set([enhanceYourCalm]))
    }
  })

  it('not even a refusal: the connection is ended', async () => {
    using one = await attacker(edge.port, { id: initialWindowSize, value: 0 })
    one.send(get(0, '//['.padEnd(9000, 'x')))
    using _alive = pinging(one)
    await isEnded(one)
  })

  it('one that is read slowly, with pauses, comes whole', async () => {
    using h2 = connectH2(edge.port)
    const stream = h2.session.request({ ':path': '/held' })
    let size = 0
    for await (const part of stream) {
      size += Buffer.isBuffer(part) ? part.length : 0
      await new Promise((resolve) => setTimeout(resolve, unreadMs / 5))
    }
    expect(size).toBe(held.length)
  })
})
