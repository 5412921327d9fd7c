// Bounds against abuse: each refusal says clearly what was too much, is counted, and reaches no node.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

interface Rig extends AsyncDisposable {
  readonly node: Upstream
  readonly edge: TestGateway
  /** Sends and expects a refusal. */
  refused(bytes: string, status: number, reason: string): Promise<void>
}

async function rig(limits: Record<string, unknown>, listener = named('ok')): Promise<Rig> {
  const node = await httpUpstream(listener)
  const edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], { limits })
  return {
    node,
    edge,
    async refused(bytes, status, reason) {
      const before = await edge.metric('chiyuan_refusals_total', `reason="${reason}"`)
      const { text, closed } = await sendRaw(edge.port, bytes)
      expect([statusOf(text), closed]).toEqual([status, true])
      expect(text).toMatch(new RegExp(`"type":"urn:chiyuan:problem:${reason}"`))
      expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
      expect(await edge.metric('chiyuan_refusals_total', `reason="${reason}"`)).toBe(before + 1)
      expect(node.requests).toBe(0)
    },
    async [Symbol.asyncDispose]() {
      await edge.close()
      await node.close()
    },
  }
}

const get = (more: string, target = '/'): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

describe('headers', () => {
  it('too many are refused with 431, as many as allowed are served', async () => {
    await using r = await rig({ headerCount: 20 })
    const many = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: a\r\n`).join('')
    await r.refused(get(many(20)), 431, 'too-many-headers')
    // Many more than allowed are not even kept to be counted.
    await r.refused(get(many(40)), 431, 'headers-too-large')
    const { text } = await sendRaw(r.edge.port, get(many(19)), { until: 'ok' })
    expect(statusOf(text)).toBe(200)
  })

  it('too large are refused with 431', async () => {
    await using r = await rig({ headerBytes: 4096 })
    await r.refused(get(`X-A: ${'a'.repeat(5000)}\r\n`), 431, 'headers-too-large')
    await r.refused(get(`X-A: ${'a'.repeat(2000)}\r\nX-B: ${'b'.repeat(3000)}\r\n`), 431, 'headers-too-large')
  })

  it('that come too slowly are refused with 408', async () => {
    await using r = await rig({ headersTimeoutMs: 150 })
    await r.refused('GET / HTTP/1.1\r\nHost: a\r\nX-A: ', 408, 'slow-headers')
    await r.refused('', 408, 'slow-headers')
  })

  it('that come too slowly behind an answered request are refused with 408', async () => {
    await using r = await rig({ headersTimeoutMs: 150 })
    const { text, closed } = await sendRaw(r.edge.port, `${get('')}GET /next HTTP/1.1\r\nHost:`)
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 408'])
    expect(closed).toBe(true)
  })
})

describe('targets', () => {
  it('too long are refused with 414', async () => {
    await using r = await rig({ urlBytes: 100 })
    await r.refused(get('', `/${'a'.repeat(100)}`), 414, 'uri-too-long')
    const { text } = await sendRaw(r.edge.port, get('', `/${'a'.repeat(99)}`), { until: 'ok' })
    expect(statusOf(text)).toBe(200)
  })
})

describe('bodies', () => {
  it('declared too large are refused with 413 before they are sent', async () => {
    await using r = await rig({ uploadBytes: 2048 })
    await r.refused('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2049\r\n\r\n', 413, 'body-too-large')
  })

  it('declared too large are told so even to a client that sends first and listens later', async () => {
    await using r = await rig({ uploadBytes: 2048 })
    const size = 20_000_000
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`
    await r.refused(head + 'x'.repeat(3_000_000), 413, 'body-too-large')
  })

  it('that come too slowly are refused with 408', async () => {
    await using r = await rig({ bodyTimeoutMs: 150 })
    await r.refused('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc', 408, 'slow-body')
    await r.refused(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      408,
      'slow-body',
    )
  })

  it('that trickle on and on are refused with 408', async () => {
    await using r = await rig({ bodyTimeoutMs: 10_000, headersTimeoutMs: 150, requestTimeoutMs: 400 })
    const socket = connect({ port: r.edge.port, host: '127.0.0.1' })
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
    const drip = setInterval(() => socket.write('x'), 50)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    await once(socket, 'end')
    clearInterval(drip)
    socket.destroy()
    expect(statusOf(text)).toBe(408)
    expect(r.node.requests).toBe(0)
  })
})

describe('connections', () => {
  it('too many are told so with 503, and room is made when some leave', async () => {
    await using r = await rig({ connections: 5 })
    const sockets: Socket[] = []
    for (let i = 0; i < 5; i++) {
      const socket = connect({ port: r.edge.port, host: '127.0.0.1' })
      sockets.push(socket)
      await once(socket, 'connect')
    }
    await eventually(async () => expect(await r.edge.metric('chiyuan_connections')).toBe(5))
    await r.refused(get(''), 503, 'too-many-connections')
    for (const socket of sockets) socket.destroy()
    await eventually(async () => expect(await r.edge.metric('chiyuan_connections')).toBe(0))
    const { text } = await sendRaw(r.edge.port, get(''), { until: 'ok' })
    expect(statusOf(text)).toBe(200)
  })

  it('idle ones are closed', async () => {
    await using r = await rig({ keepAliveTimeoutMs: 150 })
    const { text, closed } = await sendRaw(r.edge.port, get(''))
    expect([statusOf(text), closed]).toEqual([200, true])
  })
})

describe('streams', () => {
  it('too many are told so with 503 and Retry-After; short requests are not', async () => {
    await using r = await rig({ streams: 2 }, (request, response) => {
      if (request.headers.accept === 'text/event-stream') response.write('data: x\n\n')
      else response.end('ok')
    })
    const open = Array.from({ length: 2 }, () => new AbortController())
    for (const { signal } of open) {
      await fetch(r.edge.url, { headers: { accept: 'text/event-stream' }, signal })
    }
    const labels = 'reason="too-many-streams"'
    const sse = await sendRaw(r.edge.port, get('Accept: text/event-stream\r\n'))
    expect(statusOf(sse.text)).toBe(503)
    expect(sse.text).toMatch(/^Retry-After: \d+\r$/m)
    expect(await r.edge.metric('chiyuan_refusals_total', labels)).toBe(1)
    expect((await fetch(r.edge.url)).status).toBe(200)
    for (const controller of open) controller.abort()
    await eventually(async () => expect(await r.edge.metric('chiyuan_streams')).toBe(0))
    const again = new AbortController()
    const init = { headers: { accept: 'text/event-stream' }, signal: again.signal }
    expect((await fetch(r.edge.url, init)).status).toBe(200)
    again.abort()
  })

  const upgrade = get('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n')
  const full = async (check: (r: Rig, text: string, closed: boolean) => Promise<void>): Promise<void> => {
    await using r = await rig({ streams: 1 }, (_request, response) => response.write('data: x\n\n'))
    const open = new AbortController()
    await fetch(r.edge.url, { headers: { accept: 'text/event-stream' }, signal: open.signal })
    const { text, closed } = await sendRaw(r.edge.port, upgrade)
    await check(r, text, closed)
    open.abort()
  }

  it('a WebSocket too many is told so with 503', () =>
    full(async (_r, text, closed) => expect([statusOf(text), closed]).toEqual([503, true])))

  it('a WebSocket too many is counted', () =>
    full(async (r) =>
      expect(await r.edge.metric('chiyuan_refusals_total', 'reason="too-many-streams"')).toBe(1),
    ))
})
