// How a process keeps itself in the catalogue, at an agent that a test can make say anything, or nothing.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from '@jest/globals'
import { type AgentPlace, ConsulAgent } from '../../region-node/registration/agent.ts'
import { type Entry, registrationOf } from '../../region-node/registration/entry.ts'
import { keepRegistered } from '../../region-node/registration/keep.ts'
import { eventually } from '../support/eventually.ts'
import { selfSigned } from '../support/self-signed.ts'

const entry: Entry = {
  service: 'chiyuan-node',
  id: 'chiyuan-node-xian-1',
  address: '127.0.0.1',
  port: 9101,
  meta: { region: '610100', limit: '' },
  check: { kind: 'http', url: 'http://127.0.0.1:9101/readyz', everyMs: 2000, timeoutMs: 1000 },
  forgottenAfterMinutes: 60,
}

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void

const toEnd: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of toEnd.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

/** An agent whose whole memory is one entry; `behave` may say otherwise. */
async function agentOf(tls?: ServerOptions) {
  const asked: string[] = []
  const tokens: (string | undefined)[] = []
  let has = false
  const usual: Behaviour = (request, response) => {
    if (request.url?.includes('/service/register') === true) has = true
    if (request.url?.includes('/service/deregister') === true) has = false
    if (request.method !== 'GET') response.end()
    else if (!has) response.writeHead(404).end('{"Service":null}')
    else {
      const Service = { Address: entry.address, Port: entry.port, Meta: entry.meta }
      response.end(JSON.stringify({ Service, Checks: [{ CheckID: `${entry.id}-ready` }] }))
    }
  }
  const agent = {
    asked,
    tokens,
    usual,
    url: '',
    behave: usual,
    forget: () => void (has = false),
    get has() {
      return has
    },
  }
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${request.method} ${request.url}`)
    const token = request.headers['x-consul-token']
    tokens.push(typeof token === 'string' ? token : undefined)
    request.resume().on('end', () => agent.behave(request, response))
  }
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  toEnd.push({
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  agent.url = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`
  return agent
}

function keeping(
  address: string,
  changes: Partial<AgentPlace> = {},
  kept: Entry = entry,
  ill: string | null = null,
) {
  const files = { tokenFile: null, token: null, caFile: null, certFile: null, keyFile: null }
  const agent = new ConsulAgent({ address, ...files, timeoutMs: 300, ...changes })
  const told: string[] = []
  const registration = keepRegistered(
    agent,
    kept,
    {
      lost: (detail) => told.push(`lost: ${detail}`),
      back: () => told.push('back'),
      left: (detail) => told.push(`left: ${detail}`),
    },
    () => ill,
    { everyMs: 20, firstMs: 20, mostMs: 50 },
  )
  toEnd.push({
    async [Symbol.asyncDispose]() {
      await registration.leave()
      await agent[Symbol.asyncDispose]()
    },
  })
  return { told, registration }
}

it('enters itself, again whenever it is gone, and leaves', async () => {
  const agent = await agentOf()
  const { told, registration } = keeping(agent.url)
  await eventually(() => expect(agent.has).toBe(true))
  agent.forget()
  await eventually(() => expect(agent.has).toBe(true))
  // Where it stands nothing is written.
  const writes = () => agent.asked.filter((one) => one.startsWith('PUT')).length
  const before = [writes(), agent.asked.length] as const
  await eventually(() => expect(agent.asked.length).toBeGreaterThan(before[1] + 5))
  expect(writes()).toBe(before[0])
  await registration.leave()
  expect([agent.has, told]).toEqual([false, []])
  expect(agent.asked.at(-1)).toBe('PUT /v1/agent/service/deregister/chiyuan-node-xian-1')
})

it.each<{ name: string; behave: Behaviour; says: RegExp }>([
  { name: 'cuts connections', behave: (request) => request.socket.destroy(), says: /can't be reached/ },
  { name: 'says nothing', behave: () => {}, says: /did not answer within 300 ms/ },
  {
    name: 'is something else',
    behave: (_, response) => response.end('<html>hello</html>'),
    says: /answered 200 when asked to show this service \(<html>hello/,
  },
  {
    name: 'refuses the token',
    behave: (_, response) => response.writeHead(403).end('Permission denied'),
    says: /refuses the token \(403: Permission denied\)/,
  },
  {
    name: 'is broken',
    behave: (_, response) => response.writeHead(500).end('No cluster leader'),
    says: /answered 500 .*No cluster leader/,
  },
])('at an agent that $name it says so once, and once when all is well again', async ({ behave, says }) => {
  const agent = await agentOf()
  const { told } = keeping(agent.url, { token: 'a-secret' })
  await eventually(() => expect(agent.has).toBe(true))
  agent.behave = behave
  await eventually(() => expect(told).toHaveLength(1), 5000)
  expect(told[0]).toMatch(says)
  const asked = agent.asked.length
  await eventually(() => expect(agent.asked.length).toBeGreaterThan(asked), 5000)
  agent.forget()
  agent.behave = agent.usual
  await eventually(() => expect(agent.has).toBe(true), 10_000)
  expect(told).toEqual([told[0], 'back'])
  expect(told.join('\n')).not.toContain('a-secret')
})

it('one failure alone is not told', async () => {
  const agent = await agentOf()
  const { told } = keeping(agent.url)
  await eventually(() => expect(agent.has).toBe(true))
  let failures = 0
  agent.behave = (_, response) => {
    failures += 1
    agent.behave = agent.usual
    response.writeHead(500).end()
  }
  await eventually(() => expect(failures).toBe(1))
  const asked = agent.asked.length
  await eventually(() => expect(agent.asked.length).toBeGreaterThan(asked + 2), 5000)
  expect(told).toEqual([])
})

it('uses a rotated token from the next request on, and no file that holds none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-token-'))
  const tokenFile = join(folder, 'token')
  try {
    await writeFile(tokenFile, 'first\n')
    const agent = await agentOf()
    const { told } = keeping(agent.url, { tokenFile, token: 'of-the-environment' })
    await eventually(() => expect(agent.tokens.at(-1)).toBe('first'))
    await writeFile(tokenFile, 'second\n')
    await eventually(() => expect(agent.tokens.at(-1)).toBe('second'))
    await writeFile(tokenFile, 'two words')
    await eventually(() => expect(told).toHaveLength(1), 5000)
    expect(told[0]).toMatch(/token does not hold one token of Consul's and nothing else$/)
    expect(agent.tokens).not.toContain('of-the-environment')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

it('a stop waits for the registration that is under way, so that nothing is left behind', async () => {
  const agent = await agentOf()
  const { promise: registering, resolve } = Promise.withResolvers<() => void>()
  agent.behave = (request, response) => {
    if (request.url?.includes('/service/register') === true) {
      resolve(() => agent.usual(request, response))
      agent.behave = agent.usual
    } else agent.usual(request, response)
  }
  const { registration } = keeping(agent.url, { timeoutMs: 5000 })
  const answer = await registering
  const left = registration.leave()
  const deregistered = () => expect(agent.asked.at(-1)).toContain('/deregister/')
  await expect(eventually(deregistered, 200)).rejects.toThrow('deregister')
  answer()
  await left
  deregistered()
  expect(agent.has).toBe(false)
})

it('a stop does not wait for an agent that hangs, and says that it is left behind', async () => {
  const agent = await agentOf()
  const { told, registration } = keeping(agent.url)
  await eventually(() => expect(agent.has).toBe(true))
  agent.behave = () => {}
  await registration.leave()
  expect(told.at(-1)).toMatch(/^left: Consul at http:\S+ did not answer within 300 ms/)
})

it('asks over TLS, with its own certificate, an agent whose authority it knows, and no other', async () => {
  await using pair = await selfSigned('localhost')
  const [cert, key] = await Promise.all([readFile(pair.certFile), readFile(pair.keyFile)])
  const agent = await agentOf({ cert, key, ca: cert, requestCert: true, rejectUnauthorized: true })
  const stranger = keeping(agent.url)
  await eventually(() => expect(stranger.told).toHaveLength(1), 5000)
  expect(stranger.told[0]).toMatch(/can't be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
  expect(agent.asked).toEqual([])
  keeping(agent.url, { caFile: pair.certFile, certFile: pair.certFile, keyFile: pair.keyFile })
  await eventually(() => expect(agent.has).toBe(true))
})

it.each([
  { ill: null, word: '/v1/agent/check/pass/chiyuan-node-xian-1-ready' },
  {
    ill: 'no worker serves',
    word: '/v1/agent/check/fail/chiyuan-node-xian-1-ready?note=no%20worker%20serves',
  },
])('gives its own word where the check is by it: $ill', async ({ ill, word }) => {
  const agent = await agentOf()
  keeping(agent.url, {}, { ...entry, check: { kind: 'ttl', withinMs: 8000 } }, ill)
  await eventually(() => expect(agent.asked.filter((one) => one === `PUT ${word}`).length).toBeGreaterThan(2))
})

it('tells the agent what to look at, how often, and when to forget', () => {
  expect(registrationOf(entry)).toMatchObject({
    Name: 'chiyuan-node',
    ID: 'chiyuan-node-xian-1',
    Meta: { region: '610100', limit: '' },
    Check: {
      HTTP: 'http://127.0.0.1:9101/readyz',
      Interval: '2000ms',
      Timeout: '1000ms',
      DeregisterCriticalServiceAfter: '60m',
    },
  })
})
