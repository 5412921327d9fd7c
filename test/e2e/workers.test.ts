// A gateway of two workers, seen from outside: every protocol through each of them, deaths, freezes, one set of metrics.
import { once } from 'node:events'
import { Agent, createServer, get, request as httpRequest } from 'node:http'
import { get as httpsGet } from 'node:https'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { connectH2, request as h2Request } from '../support/h2-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { alive, clientPortsOf, signal, startWorkerGateway } from '../support/worker-gateway.ts'

/** One request on a connection of its own. */
async function ask(port: number): Promise<string> {
  const [answer] = await once(
    get({ port, host: '127.0.0.1', path: '/v1/codes/R1', agent: false }),
    'response',
  )
  return text(answer)
}

const valueOf = (metrics: string, line: string): number => {
  const found = metrics.split('\n').find((candidate) => candidate.startsWith(`${line} `))
  return found === undefined ? NaN : Number(found.slice(line.length))
}

describe('every worker', () => {
  it('serves HTTP/1.1 and HTTP/2 over TLS, and WebSockets, on the port that the system chose', async () => {
    await using files = await selfSigned()
    const node = createServer(named('node'))
    new WebSocketServer({ server: node }).on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }))
    })
    node.listen(0, '127.0.0.1')
    await once(node, 'listening')
    const address = node.address()
    const nodePort = typeof address === 'object' ? address?.port : 0
    const tls = { certFile: files.certFile, keyFile: files.keyFile }
    await using gateway = await startWorkerGateway(
      [{ code: '610100', nodes: { 'xian-1': `http://127.0.0.1:${nodePort}` } }],
      { public: { port: 0, tls } },
    )
    const { port } = gateway
    for (const [stopped, serving] of [
      [1, 2],
      [2, 1],
    ] as const) {
      // Only the other one can answer now.
      process.kill(gateway.pidOf(stopped), 'SIGSTOP')
      const options = {
        port,
        host: '127.0.0.1',
        path: '/v1/codes/R1',
        agent: false,
        rejectUnauthorized: false,
      }
      const [answer] = await once(httpsGet(options), 'response')
      expect([serving, await text(answer)]).toEqual([serving, 'node'])
      using client = connectH2(port)
      const h2 = await h2Request(client.session, { ':path': '/v1/codes/R1' })
      expect([h2.status, h2.body.toString()]).toEqual([200, 'node'])
      const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { rejectUnauthorized: false })
      await once(socket, 'open')
      socket.send('echo')
      expect(String((await once(socket, 'message'))[0])).toBe('echo')
      socket.terminate()
      process.kill(gateway.pidOf(stopped), 'SIGCONT')
    }
    node.close()
    node.closeAllConnections()
  }, 30_000)
})

describe('a worker that is frozen', () => {
  it('takes no new resident, does not hold up a scrape, and is named', async () => {
    await using node = await httpUpstream(named('node'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const { port } = gateway
    const counted = (metrics: string): number =>
      valueOf(metrics, 'chiyuan_requests_total{home="610100",level="local",region="610100",outcome="ok"}')
    for (let i = 0; i < 10; i++) await ask(port)
    // A request is counted when its connection has let go of it, a moment after its client has the answer.
    await eventually(async () => expect(counted(await gateway.metrics())).toBe(10))
    process.kill(gateway.pidOf(2), 'SIGSTOP')
    await Promise.all(Array.from({ length: 30 }, () => ask(port)))
    const began = performance.now()
    const metrics = await gateway.metrics()
    expect(performance.now() - began).toBeLessThan(2500)
    expect(valueOf(metrics, 'chiyuan_worker_scrape_missing{worker="1"}')).toBe(0)
    expect(valueOf(metrics, 'chiyuan_worker_scrape_missing{worker="2"}')).toBe(1)
    // What the frozen one had counted before is still counted.
    await eventually(async () => expect(counted(await gateway.metrics())).toBe(40), 5000)
    await eventually(async () => {
      const answer = await fetch(`${gateway.adminUrl}/readyz`)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toMatchObject({
        warnings: [expect.stringMatching(/^worker 2 has been silent for \d+ s$/)],
      })
    }, 8000)
    expect(valueOf(await gateway.metrics(), 'chiyuan_workers')).toBe(1)
    process.kill(gateway.pidOf(2), 'SIGCONT')
    await eventually(async () => {
      const thawed = await gateway.metrics()
      expect(valueOf(thawed, 'chiyuan_workers')).toBe(2)
      expect(valueOf(thawed, 'chiyuan_worker_scrape_missing{worker="2"}')).toBe(0)
    }, 5000)
  }, 30_000)
})

/** Clients that each keep one connection and ask on it again and again. Failures by the client's port. */
function steadyClients(port: number, count: number) {
  const failures: number[] = []
  const stopping = new AbortController()
  let answered = 0
  const one = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!stopping.signal.aborted) {
      let own = 0
      await new Promise<void>((resolve) => {
        const outgoing = httpRequest({ port, host: '127.0.0.1', path: '/v1/codes/R1', agent }, (answer) => {
          answer.on('data', () => {})
          answer.on('error', () => {
            failures.push(own)
            resolve()
          })
          answer.on('end', () => {
            answered += 1
            resolve()
          })
        })
        outgoing.on('socket', (socket) => {
          if (socket.connecting) socket.once('connect', () => (own = socket.localPort ?? 0))
          else own = socket.localPort ?? 0
        })
        outgoing.on('error', () => {
          failures.push(own)
          resolve()
        })
        outgoing.end()
      })
    }
    agent.destroy()
  }
  const all = Promise.all(Array.from({ length: count }, one))
  return {
    failures,
    answered: () => answered,
    async stop() {
      stopping.abort()
      await all
    },
  }
}

describe('a worker that is killed', () => {
  it('costs only what was in flight in it, is replaced, and no counter goes back', async () => {
    await using node = await httpUpstream((_request, response) => {
      setTimeout(() => response.end('node'), 20)
    })
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const clients = steadyClients(gateway.port, 24)
    await eventually(() => expect(clients.answered()).toBeGreaterThan(200), 8000)
    const ok = 'chiyuan_requests_total{home="610100",level="local",region="610100",outcome="ok"}'
    const seconds = 'chiyuan_request_duration_seconds_count{home="610100",level="local"}'
    const seen: number[][] = []
    const look = async (): Promise<void> => {
      const metrics = await gateway.metrics()
      seen.push([valueOf(metrics, ok), valueOf(metrics, seconds)])
    }
    await look()
    const victim = gateway.pidOf(1)
    const ports = await Promise.all([
      clientPortsOf(victim, gateway.port),
      clientPortsOf(gateway.pidOf(2), gateway.port),
    ])
    process.kill(victim, 'SIGKILL')
    for (let i = 0; i < 5; i++) await look()
    await gateway.logged(({ event, place, pid }) => event === 'worker-ready' && place === 1 && pid !== victim)
    await eventually(async () => {
      await look()
      expect(valueOf(await gateway.metrics(), 'chiyuan_workers')).toBe(2)
    }, 5000)
    await clients.stop()
    await look()
    expect(ports[0].size + ports[1].size).toBe(24)
    for (const failed of clients.failures) expect(ports[0]).toContain(failed)
    expect(clients.failures.length).toBeLessThanOrEqual(ports[0].size)
    for (const [i, [count = NaN, observed = NaN]] of seen.slice(1).entries()) {
      expect(count).toBeGreaterThanOrEqual(seen[i]?.[0] ?? Infinity)
      expect(observed).toBeGreaterThanOrEqual(seen[i]?.[1] ?? Infinity)
    }
    const ended = gateway.log.filter(({ event }) => event === 'worker-ended')
    expect(ended).toMatchObject([{ place: 1, pid: victim, how: 'by SIGKILL' }])
    expect(ended[0]?.msg).toContain('replaced at once')
    expect(valueOf(await gateway.metrics(), 'chiyuan_worker_ends_total{worker="1"}')).toBe(1)
  }, 40_000)

  it('together with all others is followed on the same port, which the system had chosen', async () => {
    await using node = await httpUpstream(named('node'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const pids = [gateway.pidOf(1), gateway.pidOf(2)]
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await eventually(() => {
      for (const place of [1, 2]) expect(pids).not.toContain(gateway.pidOf(place))
    }, 8000)
    expect(await ask(gateway.port)).toBe('node')
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200)
  }, 30_000)

  it('and can not start again is tried more and more rarely, while the other serves', async () => {
    await using node = await httpUpstream(named('node'))
    await using files = await selfSigned()
    // Any file of its own that can be taken away serves: here the key of the resident hash.
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      resident: { keyFile: files.certFile },
    })
    await files[Symbol.asyncDispose]()
    process.kill(gateway.pidOf(2), 'SIGKILL')
    const last = await gateway.logged(({ msg }) => msg.includes('replaced in 500 ms'))
    expect(last.msg).toMatch(/^worker 2 \(pid \d+\) ended with code 1: .*resident\.keyFile can't be read/)
    const ends = gateway.log.filter(({ event }) => event === 'worker-ended').map(({ msg }) => msg)
    expect(ends.map((msg) => /; replaced (.*)$/.exec(msg)?.[1])).toEqual([
      'at once',
      'in 250 ms',
      'in 500 ms',
    ])
    expect(await ask(gateway.port)).toBe('node')
    expect(await (await fetch(`${gateway.adminUrl}/readyz`)).json()).toEqual({
      status: 'ready',
      warnings: ['worker 2 does not run'],
    })
    const metrics = await gateway.metrics()
    expect(valueOf(metrics, 'chiyuan_workers')).toBe(1)
    expect(valueOf(metrics, 'chiyuan_worker_scrape_missing{worker="2"}')).toBe(1)
  }, 30_000)
})

it('a primary that is killed leaves no worker behind, and what they had in flight ends', async () => {
  await using node = await httpUpstream((_request, response) => {
    setTimeout(() => response.end('node'), 600)
  })
  await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const pids = [gateway.pidOf(1), gateway.pidOf(2)]
  const answers = Promise.all(Array.from({ length: 8 }, () => ask(gateway.port)))
  await eventually(() => expect(node.requests).toBe(8))
  signal(gateway.pid, 'SIGKILL')
  expect(await answers).toEqual(Array.from({ length: 8 }, () => 'node'))
  await eventually(() => expect(pids.filter(alive)).toEqual([]), 5000)
}, 30_000)
