// What donors lend, shared by two worker processes: together they never take more, and whoever needs it has it.
import { Agent, get, type RequestListener } from 'node:http'
import { setTimeout as passed } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { deadPort, httpUpstream } from '../support/upstream.ts'
import { startWorkerGateway, type WorkerGateway } from '../support/worker-gateway.ts'

const pledge = 40
/** What buckets hold after a pause, 100 ms of the pledge; as much for shares that move; some for a test that is late. */
const burst = 10
/** What one worker has where the other wants nothing: all but a quarter of an equal share. */
const nearlyAll = 0.8 * pledge

/** A donor that remembers when it was asked. */
function donor() {
  const arrivals: number[] = []
  const listener: RequestListener = (_request, response) => {
    arrivals.push(performance.now())
    response.end('donor')
  }
  return { arrivals, listener }
}

/** The most that any window of a second saw. */
function busiestSecond(arrivals: readonly number[]): number {
  let most = 0
  let from = 0
  for (const [i, at] of arrivals.entries()) {
    while ((arrivals[from] ?? at) <= at - 1000) from += 1
    most = Math.max(most, i - from + 1)
  }
  return most
}

/** Two workers whose residents' own node is dead, beside a donor that lends {@link pledge} a second. */
async function startBorrowers(donorUrl: string): Promise<WorkerGateway> {
  const dead = `http://127.0.0.1:${await deadPort()}`
  const name = { zh: '区', en: 'region' }
  const gateway = await startWorkerGateway([], {
    breaker: { resetTimeoutMs: 600_000 },
    // A worker that was frozen for a moment must not send its connections away.
    protection: { eventLoopDelayMs: { eased: 20_000, shedding: 30_000, closed: 60_000 } },
    regions: [
      { code: '610100', name, neighbours: ['610400'], nodes: [{ id: 'xian-1', url: dead }] },
      { code: '610400', name, lends: { limitRps: pledge }, nodes: [{ id: 'xianyang-1', url: donorUrl }] },
    ],
  })
  for (const worker of [1, 2]) {
    await gateway.logged((line) => line.event === 'health' && line.worker === worker && /down/.test(line.msg))
  }
  return gateway
}

interface Client extends Disposable {
  start(perSecond: number): void
  stop(): void
}

/** A resident's connection, kept open: requests at random moments, where the last one has ended. */
async function connect(port: number): Promise<Client> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let busy = false
  let timer: NodeJS.Timeout | undefined
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      get({ port, host: '127.0.0.1', path: '/v1/codes/R1', agent }, (answer) => {
        answer.resume()
        answer.once('close', resolve)
      }).once('error', () => resolve())
    })
  await ask()
  return {
    start(perSecond) {
      const tick = (): void => {
        timer = setTimeout(tick, (2 * Math.random() * 1000) / perSecond)
        if (busy) return
        busy = true
        void ask().then(() => (busy = false))
      }
      timer = setTimeout(tick, (Math.random() * 1000) / perSecond)
    },
    stop: () => clearTimeout(timer),
    [Symbol.dispose]() {
      clearTimeout(timer)
      agent.destroy()
    },
  }
}

/** Clients whose connections the worker of `place` has, since the other one was frozen when they came. */
async function clientsOf(gateway: WorkerGateway, place: 1 | 2, count: number): Promise<Client[]> {
  const other = gateway.pidOf(place === 1 ? 2 : 1)
  process.kill(other, 'SIGSTOP')
  try {
    return await Promise.all(Array.from({ length: count }, () => connect(gateway.port)))
  } finally {
    process.kill(other, 'SIGCONT')
  }
}

/** A donor, its borrowers, and for each worker clients of its own that ask 100 times a second in all. */
async function scene() {
  await using started = new AsyncDisposableStack()
  const { arrivals, listener } = donor()
  const node = started.use(await httpUpstream(listener))
  const gateway = started.use(await startBorrowers(node.url))
  const one = await clientsOf(gateway, 1, 16)
  for (const client of one) started.use(client)
  const two = await clientsOf(gateway, 2, 16)
  for (const client of two) started.use(client)
  const parts = started.move()
  return {
    arrivals,
    gateway,
    start: (which: 'one' | 'two') =>
      (which === 'one' ? one : two).forEach((client) => client.start(100 / 16)),
    stop: (which: 'one' | 'two') => (which === 'one' ? one : two).forEach((client) => client.stop()),
    /** What the donor got in the last second. */
    lastSecond: () => arrivals.filter((at) => at > performance.now() - 1000).length,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

describe('a donor of two workers', () => {
  it('gets what it pledged and no more, be it from both or from the one that all residents came to', async () => {
    await using all = await scene()
    const { arrivals, start, stop, lastSecond } = all
    start('one')
    start('two')
    await passed(1000)
    const before = arrivals.length
    await passed(3000)
    expect(arrivals.length - before).toBeGreaterThan(0.85 * 3 * pledge)
    stop('two')
    // Half of the pledge at first; that the other one wants nothing must be heard of.
    await passed(1000)
    await eventually(() => expect(lastSecond()).toBeGreaterThan(nearlyAll), 5000)
    stop('one')
    start('two')
    await passed(1000)
    await eventually(() => expect(lastSecond()).toBeGreaterThan(nearlyAll), 6000)
    expect(busiestSecond(arrivals)).toBeLessThanOrEqual(pledge + burst)
  }, 60_000)

  it('gets it from the other one where the one that had nearly all is killed', async () => {
    await using all = await scene()
    const { arrivals, gateway, start, stop, lastSecond } = all
    start('two')
    await eventually(() => expect(lastSecond()).toBeGreaterThan(nearlyAll), 6000)
    const victim = gateway.pidOf(2)
    process.kill(victim, 'SIGKILL')
    stop('two')
    await gateway.logged(({ event, place, pid }) => event === 'worker-ready' && place === 2 && pid !== victim)
    start('one')
    await passed(1000)
    await eventually(() => expect(lastSecond()).toBeGreaterThan(nearlyAll), 6000)
    expect(busiestSecond(arrivals)).toBeLessThanOrEqual(pledge + burst)
  }, 60_000)
})
