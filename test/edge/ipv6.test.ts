// IPv6: residents on it, nodes on it, and what is told and believed of such addresses.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { headerIn } from '../support/wire.ts'

interface V6Node extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Headers of the last request that was no probe. */
  headers(): IncomingMessage['headers']
}

async function v6Node(): Promise<V6Node> {
  let last: IncomingMessage['headers'] = {}
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok')
      return
    }
    last = request.headers
    response.setHeader('Location', `http://[::1]:${port}/next`)
    void buffer(request).then(({ length }) => response.end(`whole ${length}`))
  })
  const wss = new WebSocketServer({ server })
  wss.on('connection', (socket) => socket.send('hello'))
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    url: `http://[::1]:${port}`,
    headers: () => last,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const client of wss.clients) client.terminate()
      await closed
    },
  }
}

let node: V6Node
beforeAll(async () => {
  node = await v6Node()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

/** A gateway at `host` in front of the node. */
const gatewayAt = (host: string, changes: Record<string, unknown> = {}): Promise<TestGateway> =>
  startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    public: { port: 0, host },
    ...changes,
  })

const stream = 'Accept: text/event-stream\r\n'

async function ask(edge: TestGateway, headers: string, host = '::1'): Promise<string> {
  const hostHeader = /^Host:/m.test(headers) ? '' : `Host: [::1]:${edge.port}\r\n`
  const bytes = `GET / HTTP/1.1\r\n${hostHeader}${headers}Connection: close\r\n\r\n`
  return (await sendRaw(edge.port, bytes, { host })).text
}

describe('residents and nodes on IPv6', () => {
  it.each([
    { way: 'a short request', headers: '' },
    { way: 'an event stream', headers: stream },
  ])('$way is served, and its node is told of both by their addresses', async ({ headers }) => {
    await using edge = await gatewayAt('::1')
    const text = await ask(edge, headers)
    expect([statusOf(text), text.endsWith('whole 0') || text.includes('\r\nwhole 0\r\n')]).toEqual([
      200,
      true,
    ])
    const told = node.headers()
    expect(told['x-forwarded-for']).toBe('::1')
    expect([told['host'], told['x-forwarded-host']]).toEqual([`[::1]:${edge.port}`, `[::1]:${edge.port}`])
    expect(headerIn(text, 'location')).toBe(`http://[::1]:${edge.port}/next`)
  })

  it.each([10, 1_000_000])('a body of %d bytes arrives whole', async (size) => {
    await using edge = await gatewayAt('::1')
    const answer = await fetch(`http://[::1]:${edge.port}/`, { method: 'POST', body: 'x'.repeat(size) })
    expect(await answer.text()).toBe(`whole ${size}`)
  })

  it('a WebSocket opens', async () => {
    await using edge = await gatewayAt('::1')
    const socket = new WebSocket(`ws://[::1]:${edge.port}/`)
    const [said] = await once(socket, 'message')
    expect(String(said)).toBe('hello')
    socket.terminate()
  })
})

describe('Forwarded', () => {
  it.each([
    { way: 'a short request', headers: '' },
    { way: 'an event stream', headers: stream },
  ])('$way: the proxy before us is named in quotes and brackets (RFC 7239)', async ({ headers }) => {
    await using edge = await gatewayAt('::1', { headers: { trustedProxies: ['::1'] } })
    const said = 'Forwarded: for="[2001:db8::7]"\r\nX-Forwarded-For: 2001:db8::7\r\n'
    expect(statusOf(await ask(edge, headers + said))).toBe(200)
    const told = node.headers()
    expect(told['forwarded']).toBe(`for="[2001:db8::7]", for="[::1]";host="[::1]:${edge.port}";proto=http`)
    expect(told['x-forwarded-for']).toBe('2001:db8::7, ::1')
  })

  it('of a peer that is not trusted is not passed on', async () => {
    await using edge = await gatewayAt('::1', { headers: { trustedProxies: ['::2', '127.0.0.0/8'] } })
    await ask(edge, 'Forwarded: for="[2001:db8::7]"\r\nX-Forwarded-For: 2001:db8::7\r\n')
    expect(node.headers()['forwarded']).toBeUndefined()
    expect(node.headers()['x-forwarded-for']).toBe('::1')
  })
})

describe('a Host that is an IPv6 literal', () => {
  it('is a home’s host name, without its port', async () => {
    await using edge = await gatewayAt('::1', { home: { hosts: { '[2001:db8::1]': '610100' } } })
    for (const host of ['[2001:db8::1]', '[2001:DB8::1]:8443']) {
      expect(statusOf(await ask(edge, `Host: ${host}\r\n`))).toBe(200)
    }
    expect(statusOf(await ask(edge, 'Host: [2001:db8::2]\r\n'))).toBe(421)
  })

  it.each(['::1', '[::1', '::1]', '[::1]x', '[::1]:x', '[::1%25lo]', '[]', '[node]'])(
    'that is malformed is refused: %s',
    async (host) => {
      await using edge = await gatewayAt('::1')
      expect(statusOf(await ask(edge, `Host: ${host}\r\n`))).toBe(400)
    },
  )
})

describe('operatorAddresses', () => {
  // Bound to an IPv4-mapped address, a listener sees IPv4 peers as a dual-stack one does.
  const mapped = { listen: '::ffff:127.0.0.1', from: '127.0.0.1' }
  const v6 = { listen: '::1', from: '::1' }
  const v4 = { listen: '127.0.0.1', from: '127.0.0.1' }

  it.each([
    { entry: '::1', ...v6, told: true },
    { entry: '0:0:0:0:0:0:0:1', ...v6, told: true },
    { entry: '::/64', ...v6, told: true },
    { entry: '::2', ...v6, told: false },
    { entry: '2001:db8::/32', ...v6, told: false },
    { entry: '0.0.0.0/0', ...v6, told: false },
    { entry: '127.0.0.1', ...mapped, told: true },
    { entry: '127.0.0.0/8', ...mapped, told: true },
    { entry: '::ffff:127.0.0.1', ...mapped, told: true },
    { entry: '::ffff:127.0.0.0/104', ...mapped, told: true },
    { entry: '::1', ...mapped, told: false },
    { entry: '10.0.0.0/8', ...mapped, told: false },
    { entry: '::ffff:127.0.0.1', ...v4, told: true },
  ])(
    '$entry: a peer that comes from $from to $listen is told: $told',
    async ({ entry, listen, from, told }) => {
      await using edge = await gatewayAt(listen, { headers: { operatorAddresses: [entry] } })
      const text = await ask(edge, 'Host: a\r\n', from)
      expect(statusOf(text)).toBe(200)
      expect(headerIn(text, 'x-chiyuan-route') !== undefined).toBe(told)
    },
  )

  it('a node is told an IPv4 resident’s address as IPv4, whatever the listener', async () => {
    await using edge = await gatewayAt('::ffff:127.0.0.1')
    await ask(edge, 'Host: a\r\n', '127.0.0.1')
    expect(node.headers()['x-forwarded-for']).toBe('127.0.0.1')
  })
})
