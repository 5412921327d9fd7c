// Answers of any size for readers of any speed: memory stays bounded, and who leaves ends the sending.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { childGateway } from '../support/child-gateway.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

const zeros = Buffer.alloc(65_536)

/** Sends `size` zeros, as fast as they are taken. */
const generous = (size: number, open: { count: number; sent: number }) =>
  httpUpstream((_request, response) => {
    open.count += 1
    response.on('close', () => (open.count -= 1))
    response.setHeader('content-length', size)
    const body = function* (): Generator<Buffer> {
      for (let left = size; left > 0; left -= zeros.length) {
        const part = zeros.subarray(0, Math.min(left, zeros.length))
        open.sent += part.length
        yield part
      }
    }
    Readable.from(body()).pipe(response)
  })

async function unread(port: number, accept: string) {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET /big HTTP/1.1\r\nHost: a\r\n${accept}\r\n`)
  socket.pause()
  return socket
}

/** Reads the first `bytes` of an answer and leaves. */
async function skim(port: number, accept: string, bytes: number): Promise<void> {
  const socket = await unread(port, accept)
  let size = 0
  socket.on('data', (part: Buffer) => {
    size += part.length
    if (size >= bytes) socket.destroy()
  })
  await once(socket.resume(), 'close')
}

/** Waits until nobody takes more. */
async function standsStill(count: () => number): Promise<void> {
  let last = -1
  await eventually(async () => {
    const before = last
    last = count()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(last).toBe(before)
  }, 4000)
}

const ways = [
  { way: 'replayable', accept: '' },
  { way: 'stream', accept: 'Accept: text/event-stream\r\n' },
]

describe.each(ways)('$way', ({ accept }) => {
  it('50 MB arrive whole for a reader that takes pauses', async () => {
    const open = { count: 0, sent: 0 }
    await using node = await generous(50_000_000, open)
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const response = await fetch(edge.url, accept === '' ? {} : { headers: { accept: 'text/event-stream' } })
    let size = 0
    let pauses = 0
    for await (const part of response.body ?? []) {
      size += part.length
      if (size > pauses * 10_000_000) {
        pauses += 1
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
    }
    expect([response.status, size]).toEqual([200, 50_000_000])
  })

  it('ten unread answers of 2 GB cost little memory, and end at the node when their readers leave', async () => {
    const open = { count: 0, sent: 0 }
    await using node = await generous(2_000_000_000, open)
    await using gateway = await childGateway(node.url)
    // What it costs to have served anything at all is not these readers' cost.
    await skim(gateway.port, accept, 100_000_000)
    const before = await gateway.rss()
    const readers = await Promise.all(Array.from({ length: 10 }, () => unread(gateway.port, accept)))
    await eventually(() => expect(open.count).toBe(10))
    await standsStill(() => open.sent)
    const grown = (await gateway.rss()) - before
    expect(grown).toBeLessThan(60_000_000)
    for (const reader of readers) reader.destroy()
    await eventually(() => expect(open.count).toBe(0))
  }, 15_000)
})

describe('uploads to a node that does not read', () => {
  it('ten of 200 MB cost little memory, and end when their senders leave', async () => {
    const open = new Set<IncomingMessage>()
    await using node = await httpUpstream((request) => {
      open.add(request.pause())
      request.on('close', () => open.delete(request))
    })
    await using gateway = await childGateway(node.url)
    const before = await gateway.rss()
    let sent = 0
    const senders = Array.from({ length: 10 }, () => {
      const socket = connect({ port: gateway.port, host: '127.0.0.1' })
      socket.on('error', () => {})
      socket.write('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n')
      const more = (): void => {
        do sent += zeros.length
        while (socket.write(zeros))
      }
      socket.on('drain', more)
      more()
      return socket
    })
    await eventually(() => expect(open.size).toBe(10))
    await standsStill(() => sent)
    expect(sent).toBeLessThan(400_000_000)
    expect((await gateway.rss()) - before).toBeLessThan(60_000_000)
    for (const sender of senders) sender.destroy()
    // A node that does not read does not hear of the end either.
    for (const request of open) request.resume()
    await eventually(() => expect(open.size).toBe(0), 8000)
  }, 15_000)
})
