// Streams, joint requests, quotas and the registry in a drill.
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from '@jest/globals'
import { drillLeverKey } from '../../gateway/control/intent/drills.ts'
import { compareAndSet } from '../../gateway/control/registry/port.ts'
import { StandIn } from '../../gateway/edge/drills/stand-in.ts'
import type { Fault } from '../../gateway/model/drill.ts'
import { aLease, endLease, putLease } from '../support/drills.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { aHold, putHold } from '../support/holds.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

const events = (name: string): Promise<Upstream> =>
  httpUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`data: ${name}\n\n`)
  })

async function streaming() {
  const own = await events('own')
  const neighbour = await events('neighbour')
  const gateway = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    { attempts: { attemptTimeoutMs: 1500, connectTimeoutMs: 500 } },
  )
  return {
    own,
    gateway,
    url: gateway.url,
    registry: gateway.gateway.registry,
    rehearsals: gateway.gateway.rehearsals,
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await own.close()
      await neighbour.close()
    },
  }
}

const asEvents = { headers: { accept: 'text/event-stream' } }

it.each<{ fault: Fault; status: number; by: string }>([
  { fault: { kind: 'refuse' }, status: 200, by: 'data: neighbour\n\n' },
  { fault: { kind: 'trip' }, status: 200, by: 'data: neighbour\n\n' },
  { fault: { kind: 'blackhole' }, status: 200, by: 'data: neighbour\n\n' },
  { fault: { kind: 'errors', share: 1, status: 503 }, status: 503, by: '' },
  { fault: { kind: 'latency', ms: 150, jitterMs: 0 }, status: 200, by: 'data: own\n\n' },
])('an event stream meets $fault.kind', async ({ fault, status, by }) => {
  await using edge = await streaming()
  const lease = aLease(fault)
  await putLease(edge.registry, lease)
  await eventually(() => expect(edge.rehearsals.read(lease.drill)?.timeline.faultOn).toBeDefined())
  const started = performance.now()
  const response = await fetch(`${edge.url}/v1/codes/R1`, asEvents)
  expect([response.status, await response.text()]).toEqual([status, by])
  if (fault.kind === 'latency') expect(performance.now() - started).toBeGreaterThan(140)
  else expect(edge.own.requests).toBe(0)
  const own = [...(await edge.gateway.gateway.measured.read()).nodes].find(({ node }) => node === 'xian-1')
  await eventually(() => expect(own).toMatchObject({ inFlight: 0, breaker: 'closed' }))
  expect(edge.rehearsals.read(lease.drill)?.cohort.requests).toBe(1)
})

it('an upload meets a refusal and goes elsewhere before a byte is sent', async () => {
  await using edge = await streaming()
  const lease = aLease({ kind: 'refuse' })
  await putLease(edge.registry, lease)
  await eventually(() => expect(edge.rehearsals.read(lease.drill)?.timeline.faultOn).toBeDefined())
  const response = await fetch(`${edge.url}/v1/codes/R1`, { method: 'POST', body: Buffer.alloc(3_000_000) })
  expect([response.status, await response.text()]).toEqual([200, 'data: neighbour\n\n'])
  expect(edge.own.requests).toBe(0)
})

it('event streams are served at home again when errors are over', async () => {
  await using edge = await streaming()
  const lease = aLease({ kind: 'errors', share: 1, status: 500 })
  await putLease(edge.registry, lease)
  await eventually(() => expect(edge.rehearsals.read(lease.drill)?.timeline.faultOn).toBeDefined())
  expect((await fetch(`${edge.url}/v1/codes/R1`, asEvents)).status).toBe(500)
  await endLease(edge.registry, lease)
  await eventually(async () => {
    const response = await fetch(`${edge.url}/v1/codes/R1`, asEvents)
    expect([response.status, await response.text()]).toEqual([200, 'data: own\n\n'])
  }, 5000)
})

it('a donor whose quota is cut lends the cohort only what is left of it', async () => {
  await using edge = await streaming()
  const lease = aLease(
    { kind: 'quota-cut', share: 0 },
    { scope: { regions: [], nodes: [], levels: ['neighbour'] } },
  )
  await putHold(edge.registry, aHold('xian-1', 'trip', Date.now() + 60_000))
  await eventually(async () =>
    expect(await (await fetch(`${edge.url}/v1/codes/R1`)).text()).toContain('neighbour'),
  )
  await putLease(edge.registry, lease)
  await eventually(async () => expect((await fetch(`${edge.url}/v1/codes/R1`)).status).toBe(503))
  await endLease(edge.registry, lease)
  await eventually(async () => expect((await fetch(`${edge.url}/v1/codes/R1`)).status).toBe(200), 5000)
})

it.each([
  { how: 'its time is over', lastsMs: 1500, pulled: false },
  { how: 'the lever is pulled, which is heard all the same', lastsMs: 30_000, pulled: true },
])('a registry that is played lost is heard again when $how', async ({ lastsMs, pulled }) => {
  await using edge = await streaming()
  const { gateway } = edge.gateway
  const now = Date.now()
  await putLease(edge.registry, aLease({ kind: 'registry-loss' }, { endsAt: now + lastsMs }))
  await eventually(() => expect(gateway.snapshot().drills).toHaveLength(1))
  await putHold(edge.registry, aHold('xian-1', 'trip', now + 60_000))
  await eventually(async () => {
    expect((await gateway.measured.read()).gateway.registryLost?.detail).toContain('a drill')
  })
  expect(gateway.snapshot().holds.size).toBe(0)
  expect(await (await fetch(`${edge.url}/v1/codes/R1`)).text()).toContain('own')
  if (pulled) {
    const lever = { owner: 'test', reason: 'a test', setAt: now }
    await compareAndSet(edge.registry, drillLeverKey, lever, 0)
  }
  const timeline = () => gateway.rehearsals.read('drill-registry-loss')?.timeline ?? {}
  expect(timeline()).toMatchObject({ faultOn: expect.any(Number), detected: expect.any(Number) })
  await eventually(() => expect(gateway.snapshot().holds.size).toBe(1), 4000)
  await eventually(() => expect(timeline().recovered).toBeDefined())
  expect(timeline().recovered).toBeGreaterThanOrEqual(timeline().faultOff ?? Infinity)
  expect((await gateway.measured.read()).gateway.registryLost).toBeNull()
})

it('those who ask for the same share an answer only inside the cohort, or only outside', async () => {
  const waiting: (() => void)[] = []
  await using own = await httpUpstream((_request, response) => void waiting.push(() => response.end('own')))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using gateway = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    { classes: { critical: { coalesce: true, routes: [{ path: '/v1/**' }] } } },
  )
  const before = fetch(`${gateway.url}/v1/codes/R1`)
  await eventually(() => expect(waiting).toHaveLength(1))
  const lease = aLease({ kind: 'trip' })
  await putLease(gateway.gateway.registry, lease)
  await eventually(() => expect(gateway.gateway.rehearsals.isInForce(lease.drill)).toBe(true))
  // It would join the one that waits at home, if that were its like.
  expect(await (await fetch(`${gateway.url}/v1/codes/R1`)).text()).toBe('neighbour')
  for (const answer of waiting) answer()
  expect(await (await before).text()).toBe('own')
})

it('the stand-in for a failing node serves nobody but the gateway, and is gone with the drill', async () => {
  const standIn = new StandIn()
  const failing = await standIn.connect(503)
  const silent = await standIn.connect(null)
  const port = failing.remotePort ?? 0
  const stranger = connect(port, '127.0.0.1')
  await once(stranger, 'connect')
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const cutOff = once(stranger, 'close')
  const heard: string[] = []
  for (const socket of [stranger, silent]) socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
  for (const socket of [stranger, silent, failing]) socket.write(request)
  const [answer]: unknown[] = await once(failing, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /)
  await cutOff
  expect(heard).toEqual([])
  const closed = Promise.all([once(failing, 'close'), once(silent, 'close')])
  standIn[Symbol.dispose]()
  await closed
  await eventually(async () => {
    const [cause]: unknown[] = await once(connect(port, '127.0.0.1'), 'error')
    expect(cause).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
