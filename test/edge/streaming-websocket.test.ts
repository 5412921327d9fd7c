// WebSockets: both ways, only after the node's 101, ended when either side ends, nothing else tunnelled.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestRegion } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { deadPort, httpUpstream, rawUpstream } from '../support/upstream.ts'
import { headerIn, wireUpstream } from '../support/wire.ts'

/** A node that sends back what it gets; `close 4001` makes it close with that code. */
async function echoNode() {
  const http = createServer((_request, response) => response.end('ok'))
  const wss = new WebSocketServer({ server: http })
  wss.on('connection', (socket, request) => {
    socket.on('message', (data, binary) => {
      const close = binary ? null : /^close (\d+)$/.exec(Buffer.isBuffer(data) ? data.toString() : '')
      if (close === null) socket.send(data, { binary })
      else socket.close(Number(close[1]), 'as asked')
    })
    if (request.url === '/greets') socket.send('hello')
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    clients: wss.clients,
    async [Symbol.asyncDispose]() {
      for (const client of wss.clients) client.terminate()
      const closed = once(http, 'close')
      http.close()
      http.closeAllConnections()
      await closed
    },
  }
}

const local = (url: string): TestRegion[] => [{ code: '610100', nodes: { 'xian-1': url } }]

async function opened(port: number, path = '/'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  await once(socket, 'open')
  return socket
}

async function said(socket: WebSocket): Promise<Buffer> {
  const [data]: unknown[] = await once(socket, 'message')
  return Buffer.isBuffer(data) ? data : Buffer.alloc(0)
}

const upgrade = (more = ''): string =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`

describe('a WebSocket', () => {
  it('carries text, bytes and large messages both ways, and its close code', async () => {
    await using node = await echoNode()
    await using edge = await startTestGateway(local(node.url))
    const socket = await opened(edge.port)
    for (const message of [Buffer.from('驰援'), Buffer.alloc(3_000_000, 7), Buffer.alloc(0)]) {
      const answer = said(socket)
      socket.send(message)
      expect((await answer).equals(message)).toBe(true)
    }
    const closed = once(socket, 'close')
    socket.send('close 4001')
    expect((await closed).map(String)).toEqual(['4001', 'as asked'])
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0))
    const ok = 'home="610100",level="local",region="610100",outcome="ok"'
    expect(await edge.metric('chiyuan_requests_total', ok)).toBe(1)
  })

  it('gets the first message that comes right behind the handshake', async () => {
    await using node = await echoNode()
    await using edge = await startTestGateway(local(node.url))
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/greets`)
    expect((await said(socket)).toString()).toBe('hello')
    socket.terminate()
    await eventually(() => expect(node.clients.size).toBe(0))
  })

  it('two hundred at once, each its own', async () => {
    await using node = await echoNode()
    await using edge = await startTestGateway(local(node.url))
    const sockets = await Promise.all(Array.from({ length: 200 }, () => opened(edge.port)))
    const answers = await Promise.all(
      sockets.map(async (socket, i) => {
        const answer = said(socket)
        socket.send(`number ${i}`)
        return (await answer).toString()
      }),
    )
    expect(answers).toEqual(sockets.map((_, i) => `number ${i}`))
    expect(await edge.metric('chiyuan_streams')).toBe(200)
    for (const socket of sockets) socket.terminate()
    await eventually(() => expect(node.clients.size).toBe(0))
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0))
  })

  it('closes when its node dies, and its node’s side closes when the client dies', async () => {
    await using node = await echoNode()
    await using edge = await startTestGateway(local(node.url))
    const one = await opened(edge.port)
    const closed = once(one, 'close')
    for (const client of node.clients) client.terminate()
    expect(Number((await closed)[0])).toBe(1006)
    const other = await opened(edge.port)
    other.terminate()
    await eventually(() => expect(node.clients.size).toBe(0))
  })

  it('is not left half open by a client that never closes its side', async () => {
    await using node = await wireUpstream((_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye')
      return undefined
    })
    await using edge = await startTestGateway(local(node.url))
    const client = sendRaw(edge.port, upgrade(), { allowHalfOpen: true, withinMs: 1000 })
    await eventually(() => expect(node.seen).toHaveLength(1))
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0), 900)
    expect((await client).text).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nbye$/s)
  })

  it('goes to the next node when one refuses the connection', async () => {
    await using dying = await httpUpstream((_request, response) => response.end())
    await using node = await echoNode()
    await using edge = await startTestGateway(
      [
        { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': dying.url } },
        { code: '610400', nodes: { 'xianyang-1': node.url } },
      ],
      { health: { intervalMs: 60_000, fastIntervalMs: 60_000 } },
    )
    await eventually(async () =>
      expect(await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')).toBe(1),
    )
    await dying.close()
    const socket = await opened(edge.port, '/greets')
    socket.terminate()
    expect(await edge.metric('chiyuan_attempts_total', 'node="xian-1",outcome="connect-failed"')).toBe(1)
    await eventually(() => expect(node.clients.size).toBe(0))
  })

  it('is refused with 503 and no address when no node is left', async () => {
    await using edge = await startTestGateway(local(`http://127.0.0.1:${await deadPort()}`))
    const { text, closed } = await sendRaw(edge.port, upgrade())
    expect([statusOf(text), closed]).toEqual([503, true])
    expect(text).not.toMatch(/127\.0\.0\.1|xian|ECONN/)
  })
})

describe('a node that declines', () => {
  it.each([401, 403, 426, 500])('with %s is heard, and no tunnel opens', async (status) => {
    let later = ''
    await using node = await rawUpstream((socket) => {
      socket.setEncoding('latin1')
      socket.once('data', () => {
        socket.write(
          `HTTP/1.1 ${status} No\r\nServer: xian-1\r\nWWW-Authenticate: Bearer\r\nContent-Length: 4\r\n\r\nwhy?`,
        )
        socket.on('data', (chunk: string) => (later += chunk))
      })
    })
    await using edge = await startTestGateway(local(node.url), {
      health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
    })
    const { text, closed } = await sendRaw(edge.port, `${upgrade()}TUNNEL?`)
    expect(statusOf(text)).toBe(status)
    expect(text).toMatch(/\r\n\r\nwhy\?$/)
    expect(headerIn(text, 'www-authenticate')).toBe('Bearer')
    expect(text).not.toContain('xian-1')
    expect(closed).toBe(true)
    expect(later).toBe('')
  })

  it('in chunks is heard whole', async () => {
    await using node = await wireUpstream(
      () => 'HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhy?\r\n0\r\n\r\n',
    )
    await using edge = await startTestGateway(local(node.url))
    const { text } = await sendRaw(edge.port, upgrade())
    expect(text).toMatch(/4\r\nwhy\?\r\n0\r\n\r\n$/)
  })
})

describe('what is no WebSocket upgrade', () => {
  it.each([
    {
      name: 'h2c',
      headers: 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    },
    { name: 'TLS', headers: 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n' },
    { name: 'no key', headers: 'Connection: Upgrade\r\nUpgrade: websocket\r\n' },
    { name: 'no Connection', headers: 'Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n' },
    {
      name: 'several protocols',
      headers: 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\nSec-WebSocket-Key: eA==\r\n',
    },
  ])('$name is served as if it had not asked', async ({ headers }) => {
    await using node = await wireUpstream()
    await using edge = await startTestGateway(local(node.url))
    const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`, {
      until: '\r\n\r\nok',
    })
    expect(statusOf(text)).toBe(200)
    expect(headerIn(node.seen[0] ?? '', 'upgrade')).toBeUndefined()
    expect(headerIn(node.seen[0] ?? '', 'http2-settings')).toBeUndefined()
  })

  it('a node that switches protocols unasked is not believed', async () => {
    await using bad = await wireUpstream(
      () => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nTUNNEL',
    )
    await using helper = await httpUpstream((_request, response) => response.end('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': bad.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.url } },
    ])
    for (const accept of ['', 'Accept: text/event-stream\r\n']) {
      const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${accept}\r\n`, {
        until: 'neighbour',
      })
      expect(statusOf(text)).toBe(200)
      expect(text).not.toContain('TUNNEL')
    }
  })
})
