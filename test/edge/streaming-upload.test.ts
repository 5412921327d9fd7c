// Uploads: whole, with nobody starved by slow ones, and ended when their sender leaves.
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestRegion } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { deadPort, httpUpstream, rawUpstream } from '../support/upstream.ts'

const local = (url: string): TestRegion[] => [{ code: '610100', nodes: { 'xian-1': url } }]
const quiet = { health: { intervalMs: 60_000, fastIntervalMs: 60_000, downIntervalMs: 60_000 } }
const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

/** A node that answers with the digest of what it got. */
const hashing = () =>
  httpUpstream((request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => response.end(hash.digest('hex')))
  })

describe('an upload', () => {
  it.each([
    { name: '64 KiB with a length', size: 65_536 },
    { name: '64 KiB and a byte with a length', size: 65_537 },
    { name: '10 MB with a length', size: 10_000_000 },
  ])('of $name arrives whole', async ({ size }) => {
    await using node = await hashing()
    await using edge = await startTestGateway(local(node.url))
    const body = randomBytes(size)
    const response = await fetch(edge.url, { method: 'PUT', body })
    expect([response.status, await response.text()]).toEqual([200, digest(body)])
  })

  it('of 10 MB in chunks arrives whole', async () => {
    await using node = await hashing()
    await using edge = await startTestGateway(local(node.url))
    const parts = Array.from({ length: 100 }, () => randomBytes(100_000))
    const response = await fetch(edge.url, {
      method: 'POST',
      body: ReadableStream.from(parts),
      duplex: 'half',
    })
    expect([response.status, await response.text()]).toEqual([200, digest(Buffer.concat(parts))])
  })

  it('too long to keep goes to another node when the first refuses the connection', async () => {
    await using node = await hashing()
    await using edge = await startTestGateway(
      [
        {
          code: '610100',
          neighbours: ['610400'],
          nodes: { 'xian-1': `http://127.0.0.1:${await deadPort()}` },
        },
        { code: '610400', nodes: { 'xianyang-1': node.url } },
      ],
      quiet,
    )
    const body = randomBytes(300_000)
    const response = await fetch(edge.url, { method: 'POST', body })
    expect([response.status, await response.text()]).toEqual([200, digest(body)])
  })

  it('that its node broke off is never sent to a second one', async () => {
    await using broken = await rawUpstream((socket) => {
      socket.once('data', (data) => {
        if (data.includes('/healthz')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        else setTimeout(() => socket.destroy(), 20)
      })
    })
    await using helper = await hashing()
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': broken.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    const response = await fetch(edge.url, { method: 'POST', body: randomBytes(300_000) })
    expect(response.status).toBe(502)
    expect(await response.text()).not.toMatch(/127\.0\.0\.1|ECONN|xian/)
    expect(helper.requests).toBe(0)
  })

  it('ends at its node when its sender leaves', async () => {
    let aborted = false
    await using node = await httpUpstream((request) => {
      request.resume().on('close', () => (aborted = !request.complete))
    })
    await using edge = await startTestGateway(local(node.url))
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n'
    const sent = sendRaw(edge.port, head + 'x'.repeat(200_000), { withinMs: 300 })
    await eventually(() => expect(node.requests).toBe(1))
    await sent
    await eventually(() => expect(aborted).toBe(true))
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0))
  })

  it('too slow, too long in chunks: each refused and counted', async () => {
    await using node = await hashing()
    await using edge = await startTestGateway(local(node.url), {
      limits: { bodyTimeoutMs: 150, uploadBytes: 200_000, replayBodyBytes: 10_000 },
    })
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'
    const slow = await sendRaw(edge.port, head + 'x'.repeat(20_000))
    expect([statusOf(slow.text), slow.closed]).toEqual([408, true])
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const long = await sendRaw(
      edge.port,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`,
    )
    expect([statusOf(long.text), long.closed]).toEqual([413, true])
    expect(await edge.metric('chiyuan_refusals_total', 'reason="slow-body"')).toBe(1)
    expect(await edge.metric('chiyuan_refusals_total', 'reason="body-too-large"')).toBe(1)
  })
})

/** Uploads that trickle: each has sent its head and a little of its body. */
function trickle(port: number, count: number, length: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.write(`POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nabc`)
    return socket
  })
}

describe('slow uploads', () => {
  it('short enough to keep trouble no node', async () => {
    await using node = await hashing()
    await using edge = await startTestGateway(local(node.url), quiet)
    await eventually(async () =>
      expect(await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')).toBe(1),
    )
    const before = node.connections
    const slow = trickle(edge.port, 20, 50_000)
    await eventually(async () => expect(await edge.metric('chiyuan_connections')).toBe(20))
    expect(await (await fetch(edge.url)).text()).toBe(digest(Buffer.alloc(0)))
    expect([node.requests, node.connections]).toEqual([1, before + 1])
    for (const socket of slow) socket.destroy()
  })

  // listener.ts sends a body that declares more than `replayBodyBytes` straight to the stream engine, which connects at
  // once, however little of it has come. `takeBody` would wait for the first 64 KiB, as it does for chunked ones.
  it('that will be too long to keep trouble no node while they are short', async () => {
    await using node = await hashing()
    await using edge = await startTestGateway(local(node.url), quiet)
    const slow = trickle(edge.port, 20, 5_000_000)
    try {
      await eventually(async () => expect(await edge.metric('chiyuan_connections')).toBe(20))
      await (await fetch(edge.url)).text()
      expect(node.requests).toBe(1)
    } finally {
      for (const socket of slow) socket.destroy()
    }
  })

  it.each([
    { name: 'short', length: 50_000 },
    { name: 'long', length: 5_000_000 },
  ])(
    'a thousand $name ones hold up nobody',
    async ({ length }) => {
      await using node = await hashing()
      await using edge = await startTestGateway(local(node.url), quiet)
      const slow = trickle(edge.port, 1000, length)
      try {
        await eventually(
          async () => expect(await edge.metric('chiyuan_connections')).toBeGreaterThanOrEqual(1000),
          8000,
        )
        const times: number[] = []
        for (let i = 0; i < 50; i++) {
          const started = performance.now()
          expect((await fetch(`${edge.url}/v1/codes/R${i}`)).status).toBe(200)
          times.push(performance.now() - started)
        }
        times.sort((a, b) => a - b)
        expect(times[25]).toBeLessThan(50)
        expect(times[49]).toBeLessThan(500)
      } finally {
        for (const socket of slow) socket.destroy()
      }
    },
    15_000,
  )
})
