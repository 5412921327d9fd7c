// Nodes behind https: every kind of request gets through by TLS, and a node that can't prove its name is no node.
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { type Authority, authority, type KeyPair } from '../support/authority.ts'
import { type CommandGateway, commandGateway } from '../support/command-gateway.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named, rawUpstream } from '../support/upstream.ts'

interface TlsNode extends AsyncDisposable {
  readonly url: string
  /** Requests that it has seen, probes included. */
  readonly seen: readonly string[]
}

async function tlsNode(pair: KeyPair, listener: RequestListener): Promise<TlsNode> {
  const seen: string[] = []
  const server: Server = createServer({ ...pair }, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (request.url === '/healthz') response.writeHead(well ? 200 : 503).end()
    else listener(request, response)
  })
  const wss = new WebSocketServer({ server })
  wss.on('connection', (socket, { url }) => {
    seen.push(`GET ${url}`)
    socket.on('message', (data) => socket.send(data))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${portOf(server.address())}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const client of wss.clients) client.terminate()
      await closed
    },
  }
}

const portOf = (address: string | AddressInfo | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0

/** Answers uploads with their size, event streams with one event and silence, the rest with its name. */
const serves =
  (name: string): RequestListener =>
  (request, response) => {
    if (request.headers.accept === 'text/event-stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${name}\n\n`)
      return
    }
    void buffer(request).then(({ length }) => response.end(`${name} ${length}`))
  }

/** A home by its header, with its own node; where that fails, `xian-1` stands in. */
const region = (code: string, id: string, url: string) => ({
  code,
  name: { zh: code, en: code },
  neighbours: code === '610100' ? [] : ['610100'],
  nodes: [{ id, url }],
})

/** Homes whose node is none, and why. */
const liars = [
  { home: '610200', why: 'signed by an authority that nobody trusts' },
  { home: '610300', why: 'signed for another name' },
  { home: '610400', why: 'expired' },
  { home: '610500', why: 'plain HTTP' },
  { home: '610600', why: 'silent in the handshake' },
] as const

const open = new AsyncDisposableStack()
const refused: TlsNode[] = []
let trusted: TlsNode
let edge: CommandGateway
let well = true

const liar = async (pair: KeyPair): Promise<string> => {
  const node = open.use(await tlsNode(pair, serves('liar')))
  refused.push(node)
  return node.url
}

const secure = (url: string): string => url.replace('http:', 'https:')

beforeAll(async () => {
  const ours: Authority = open.use(await authority())
  const theirs = open.use(await authority())
  trusted = open.use(await tlsNode(await ours.issue('IP:127.0.0.1'), serves('xian-1')))
  const plain = open.use(await httpUpstream(named('liar')))
  const silent = open.use(await rawUpstream(() => {}))
  const urls = [
    await liar(await theirs.issue('IP:127.0.0.1')),
    await liar(await ours.issue('IP:127.0.0.2,DNS:localhost')),
    await liar(await ours.issue('IP:127.0.0.1', -1)),
    secure(plain.url),
    secure(silent.url),
  ]
  const config = {
    home: { default: '610100', header: 'x-home' },
    attempts: { connectTimeoutMs: 500 },
    health: { path: '/healthz', intervalMs: 50, fastIntervalMs: 50, fall: 1 },
    breaker: { volumeThreshold: 1000 },
    regions: [
      region('610100', 'xian-1', trusted.url),
      ...liars.map(({ home }, i) => region(home, `n${home}`, urls[i] ?? '')),
    ],
  }
  edge = open.use(await commandGateway(config, { NODE_EXTRA_CA_CERTS: ours.certFile }))
})

afterAll(() => open.disposeAsync())

const text = async (path: string, init: RequestInit): Promise<string> => {
  const answer = await fetch(edge.url + path, init)
  return `${answer.status} ${await answer.text()}`
}

const upload = { method: 'POST', body: 'x'.repeat(1_000_000) }

async function firstEvent(headers: Record<string, string>): Promise<string> {
  const leave = new AbortController()
  const answer = await fetch(`${edge.url}/events`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: leave.signal,
  })
  const { value } = (await answer.body?.getReader().read()) ?? {}
  leave.abort()
  return new TextDecoder().decode(value)
}

async function echoed(headers: Record<string, string>): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws`, { headers })
  await once(socket, 'open')
  const answer = once(socket, 'message')
  socket.send('驰援')
  const [said] = await answer
  socket.terminate()
  return String(said)
}

const trustedIs = (up: 0 | 1): Promise<void> =>
  eventually(async () =>
    expect(await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')).toBe(up),
  )

describe('a node over TLS that a trusted authority vouches for', () => {
  it('is up by its probes', () => trustedIs(1))

  it('serves short requests, uploads, event streams and WebSockets', async () => {
    expect(await text('/v1', {})).toBe('200 xian-1 0')
    expect(await text('/v1', { method: 'POST', body: 'short' })).toBe('200 xian-1 5')
    expect(await text('/v1', upload)).toBe('200 xian-1 1000000')
    expect(await firstEvent({})).toBe('data: xian-1\n\n')
    expect(await echoed({})).toBe('驰援')
  })
})

describe.each(liars)('a node that is $why', ({ home }) => {
  const headers = { 'x-home': home }

  beforeAll(async () => {
    // Probes find every liar out. With all nodes alike down by their word, requests try the nearest first.
    well = false
    await trustedIs(0)
  })

  it('never answers: the next node does, whatever the request', async () => {
    expect(await text('/v1', { headers })).toBe('200 xian-1 0')
    expect(await text('/v1', { headers, method: 'POST', body: 'short' })).toBe('200 xian-1 5')
    expect(await text('/v1', { headers, ...upload })).toBe('200 xian-1 1000000')
    expect(await firstEvent(headers)).toBe('data: xian-1\n\n')
    expect(await echoed(headers)).toBe('驰援')
  })

  it('is told no request, and each try counts as a connection that failed', async () => {
    expect(refused.map(({ seen }) => seen)).toEqual([[], [], []])
    const failed = `node="n${home}",outcome="connect-failed"`
    expect(await edge.metric('chiyuan_attempts_total', failed)).toBe(5)
  })
})
