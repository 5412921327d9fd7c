// A gateway that stops: what is in flight ends, nothing new begins, and the deadline is kept.
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestRegion } from '../support/gateway.ts'
import { answerOf, connectH2, request } from '../support/h2-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { httpUpstream } from '../support/upstream.ts'

const local = (url: string): TestRegion[] => [{ code: '610100', nodes: { 'xian-1': url } }]

/** A node that answers when told to. */
async function patient() {
  const waiting: (() => void)[] = []
  const upstream = await httpUpstream((_request, response) => {
    waiting.push(() => response.end('in the end'))
  })
  return {
    upstream,
    waiting,
    answer: () => waiting.splice(0).forEach((go) => go()),
    [Symbol.asyncDispose]: () => upstream.close(),
  }
}

const refused = async (port: number): Promise<boolean> => {
  const socket = connect({ port, host: '127.0.0.1' })
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  socket.destroy()
  return !connected
}

describe('a stop', () => {
  it('lets a request in flight end, refuses new connections, fails readiness, and then is done', async () => {
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url))
    expect((await fetch(`${edge.adminUrl}/readyz`)).status).toBe(200)
    const answer = fetch(edge.url)
    await eventually(() => expect(node.waiting).toHaveLength(1))
    const closed = edge.close()
    expect((await fetch(`${edge.adminUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${edge.adminUrl}/livez`)).status).toBe(200)
    await eventually(async () => expect(await refused(edge.port)).toBe(true))
    node.answer()
    expect(await (await answer).text()).toBe('in the end')
    await closed
    expect(await refused(edge.port)).toBe(true)
  })

  it('serves on for as long as its notice lasts, while readiness fails already', async () => {
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url), { drainNoticeMs: 300 })
    const closed = edge.close()
    expect((await fetch(`${edge.adminUrl}/readyz`)).status).toBe(503)
    const answer = fetch(edge.url)
    await eventually(() => expect(node.waiting).toHaveLength(1))
    node.answer()
    expect(await (await answer).text()).toBe('in the end')
    await closed
    expect(await refused(edge.port)).toBe(true)
  })

  it('closes idle kept connections at once, and a busy one after its answer', async () => {
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url), { drainTimeoutMs: 20_000 })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async (): Promise<string> => {
      const [response] = await once(get({ port: edge.port, agent }), 'response')
      return text(response)
    }
    const first = ask()
    await eventually(() => expect(node.waiting).toHaveLength(1))
    const idle = connect({ port: edge.port, host: '127.0.0.1' })
    const idleClosed = once(idle.resume(), 'close')
    await once(idle, 'connect')
    await eventually(async () => expect(await edge.metric('chiyuan_connections')).toBe(2))
    const started = performance.now()
    const closed = edge.close()
    await idleClosed
    node.answer()
    expect(await first).toBe('in the end')
    await closed
    expect(performance.now() - started).toBeLessThan(2000)
    agent.destroy()
  })

  it('cuts at its deadline what does not end', async () => {
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url), { drainTimeoutMs: 200 })
    const answer = fetch(edge.url).then(
      () => 'answered',
      () => 'cut',
    )
    await eventually(() => expect(node.waiting).toHaveLength(1))
    const started = performance.now()
    await edge.close()
    expect(performance.now() - started).toBeGreaterThanOrEqual(190)
    expect(performance.now() - started).toBeLessThan(1500)
    expect(await answer).toBe('cut')
  })

  it('cuts event streams and WebSockets at its deadline, and leaves nothing open at the node', async () => {
    await using node = await httpUpstream((_request, response) => response.write('data: x\n\n'))
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(wss, 'listening')
    const address = wss.address()
    const wsPort = typeof address === 'object' && address !== null ? address.port : 0
    const edge = await startTestGateway(local(node.url), { drainTimeoutMs: 150 })
    const wsEdge = await startTestGateway(local(`http://127.0.0.1:${wsPort}`), { drainTimeoutMs: 150 })
    const events = await fetch(edge.url, { headers: { accept: 'text/event-stream' } })
    const socket = new WebSocket(`ws://127.0.0.1:${wsEdge.port}`)
    await once(socket, 'open')
    const gone = once(socket, 'close')
    await Promise.all([edge.close(), wsEdge.close()])
    await expect(events.text()).rejects.toThrow('terminated')
    await gone
    await eventually(() => expect([node.connections, wss.clients.size]).toEqual([0, 0]))
    wss.close()
  })

  it('over HTTP/2: streams in flight end, new ones are turned away', async () => {
    await using files = await selfSigned()
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url), {
      public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
    })
    using h2 = connectH2(edge.port)
    const first = request(h2.session, { ':path': '/' })
    await eventually(() => expect(node.waiting).toHaveLength(1))
    const goaway = once(h2.session, 'goaway')
    const closed = edge.close()
    await goaway
    const late = await answerOf(h2.session.request({ ':path': '/late' }))
    expect([late.status, late.whole]).toEqual([NaN, false])
    expect(node.waiting).toHaveLength(1)
    node.answer()
    const answer = await first
    expect([answer.status, answer.whole, answer.body.toString()]).toEqual([200, true, 'in the end'])
    await closed
  })

  it('asked for twice is one stop', async () => {
    await using node = await patient()
    const edge = await startTestGateway(local(node.upstream.url))
    await Promise.all([edge.gateway.close(), edge.gateway.close()])
    await edge.close()
  })
})
