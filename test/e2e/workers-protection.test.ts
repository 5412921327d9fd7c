// Workers that have too much: they save themselves level by level, operators and other workers go on, and it passes.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { commandGateway } from '../support/command-gateway.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { startWorkerGateway, type WorkerGateway } from '../support/worker-gateway.ts'

const critical = '/v1/codes/R1'
const deferrable = '/v1/history/R1'
const classes = { deferrable: { routes: [{ path: '/v1/history/**' }] } }
/** Freezing a worker for a moment, so that the other one has all connections, must not count as its load. */
const patientLoop = { eased: 20_000, shedding: 30_000, closed: 60_000 }

/** A client that keeps its connection whatever the server says of keeping it. */
class Client implements Disposable {
  readonly closed: Promise<void>
  private readonly socket: Socket
  private readonly gone = new AbortController()
  private received = ''

  constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.once('close', () => this.gone.abort())
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (data: string) => (this.received += data))
  }

  /** Resolves with the answer's status line and headers. */
  async ask(path: string): Promise<string> {
    this.received = ''
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    while (!/\r\n\r\n[^]/.test(this.received)) await once(this.socket, 'data', this.gone)
    return this.received
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** Clients whose connections the worker of `place` has, since the other one was frozen when they came. */
async function clientsOf(gateway: WorkerGateway, place: 1 | 2, count: number): Promise<Client[]> {
  const other = gateway.pidOf(place === 1 ? 2 : 1)
  process.kill(other, 'SIGSTOP')
  try {
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(gateway.port, '127.0.0.1')
        await once(socket, 'connect')
        const client = new Client(socket)
        expect(await client.ask(critical)).toMatch(/^HTTP\/1.1 200 /)
        return client
      }),
    )
  } finally {
    process.kill(other, 'SIGCONT')
  }
}

const valueOf = (metrics: string, line: string): number => {
  const found = metrics.split('\n').find((candidate) => candidate.startsWith(`${line} `))
  return found === undefined ? NaN : Number(found.slice(line.length))
}
const levelOf = async (gateway: WorkerGateway): Promise<number> =>
  valueOf(await gateway.metrics(), 'chiyuan_protection_level')

describe('a worker with nearly as many connections as it may have', () => {
  it('keeps idle ones for a moment only, until they are few again', async () => {
    await using node = await httpUpstream(named('node'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      limits: { connections: 20 },
      protection: { eventLoopDelayMs: patientLoop, calmMs: 250 },
    })
    const clients = await clientsOf(gateway, 1, 16)
    await eventually(async () => expect(await levelOf(gateway)).toBe(1))
    const answers = await Promise.all(clients.map((client) => client.ask(critical)))
    for (const answer of answers) expect(answer).toMatch(/\r\nkeep-alive: timeout=3\r\n/i)
    const began = performance.now()
    await Promise.all(clients.map(({ closed }) => closed))
    expect(performance.now() - began).toBeLessThan(7000)
    await eventually(async () => expect(await levelOf(gateway)).toBe(0), 3000)
    using late = (await clientsOf(gateway, 1, 1))[0]
    expect(await late?.ask(critical)).toMatch(/\r\nkeep-alive: timeout=65\r\n/i)
  }, 30_000)

  it('turns away what can wait and serves what can not, until they are few again', async () => {
    await using node = await httpUpstream(named('node'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      classes,
      limits: { connections: 20 },
      protection: { eventLoopDelayMs: patientLoop, calmMs: 250 },
    })
    const clients = await clientsOf(gateway, 1, 18)
    await eventually(async () => expect(await levelOf(gateway)).toBe(2))
    const shed = await Promise.all(clients.slice(0, 9).map((client) => client.ask(deferrable)))
    for (const answer of shed) expect(answer).toMatch(/^HTTP\/1.1 503 [^]*\r\nretry-after: \d/i)
    const served = await Promise.all(clients.slice(9).map((client) => client.ask(critical)))
    for (const answer of served) expect(answer).toMatch(/^HTTP\/1.1 200 /)
    const counted = 'chiyuan_shed_total{home="610100",class="deferrable",reason="protection"}'
    expect(valueOf(await gateway.metrics(), counted)).toBe(9)
    for (const client of clients) client[Symbol.dispose]()
    await eventually(async () => expect(await levelOf(gateway)).toBe(0), 4000)
    using late = (await clientsOf(gateway, 1, 1))[0]
    expect(await late?.ask(deferrable)).toMatch(/^HTTP\/1.1 200 /)
  }, 30_000)
})

describe('a worker whose event loop comes too late', () => {
  it('says so, while operators and the residents of the other one are served as ever, and it passes', async () => {
    await using node = await httpUpstream(named('node'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      classes,
      // Above what freezing a worker for a moment, so that the other one has a connection, does to it.
      protection: { eventLoopDelayMs: { eased: 250, shedding: 5000, closed: 10_000 }, calmMs: 250 },
    })
    const isNormal = () => eventually(async () => expect(await levelOf(gateway)).toBe(0), 5000)
    const [calm] = await clientsOf(gateway, 2, 1)
    await isNormal()
    const before = gateway.log.length
    const late = gateway.pidOf(1)
    // As a machine does that has more to do than it can: the work is there, and the time is not.
    process.kill(late, 'SIGSTOP')
    await sleep(1000)
    process.kill(late, 'SIGCONT')
    await gateway.logged((line) => gateway.log.indexOf(line) >= before && line.event === 'protection')
    const began = performance.now()
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200)
    expect(await levelOf(gateway)).toBeGreaterThan(0)
    expect(await calm?.ask(critical)).toMatch(/^HTTP\/1.1 200 /)
    const tookMs = performance.now() - began
    calm?.[Symbol.dispose]()
    expect(tookMs).toBeLessThan(3000)
    const told = gateway.log.slice(before).filter(({ event }) => event === 'protection')
    expect(told[0]).toMatchObject({ worker: 1, reason: 'event-loop' })
    expect(told.filter(({ worker }) => worker === 2)).toEqual([])
    await isNormal()
  }, 40_000)
})

describe('a gateway whose memory is nearly full', () => {
  it('closes the door to new residents, not to operators, and opens it again', async () => {
    await using node = await httpUpstream(named('node'))
    const steps = (closed: number) => ({ eased: closed - 0.02, shedding: closed - 0.01, closed })
    const config = (closed: number) => ({
      home: { default: '610100' },
      protection: { memoryShare: steps(closed), eventLoopDelayMs: patientLoop, calmMs: 250 },
      regions: [
        { code: '610100', name: { zh: '西安', en: "Xi'an" }, nodes: [{ id: 'xian-1', url: node.url }] },
      ],
    })
    // Of a heap of 64 MB an idle gateway fills more than an eighth.
    await using gateway = await commandGateway(config(0.125), { NODE_OPTIONS: '--max-old-space-size=64' })
    const level = () => gateway.metric('chiyuan_protection_level')
    await eventually(async () => expect(await level()).toBe(3), 5000)
    const refused = await fetch(gateway.url)
    expect([refused.status, (await refused.text()).includes('too-many-connections')]).toEqual([503, true])
    await gateway.reload(config(0.99))
    await eventually(async () => expect(await level()).toBe(0), 8000)
    expect((await fetch(gateway.url)).status).toBe(200)
  }, 30_000)
})
