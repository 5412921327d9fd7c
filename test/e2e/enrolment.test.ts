// A donor that was unknown at the start serves residents once it is enrolled, within its pledge, and goes without a failed
// request.
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import { activeEnrolment, putEnrolment, stepped } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { aHold, putHold } from '../support/holds.ts'
import { deadPort, httpUpstream, named } from '../support/upstream.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

const donorAt = (url: string, rps = 1000) => ({
  nodes: [{ id: nodeId('yanan-1'), url, weight: 1, limit: null }],
  limit: { rps, concurrent: null },
  reserve: 0,
  validUntil: Date.now() + 40 * 86_400_000,
})

it('serves a tripped home’s residents from a region enrolled since the start, and lets go of it by draining', async () => {
  await using home = await httpUpstream(named('home'))
  const held: ServerResponse[] = []
  await using donor = await httpUpstream((request, response) => {
    if (request.url === '/v1/codes/slow') held.push(response)
    else response.end('donor')
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': home.url } }], {
    home: { default: '610100', header: 'x-home' },
    enrolment: { rampMs: 0, drainMs: 1000 },
    queue: { maxWaitMs: 50, targetWaitMs: 50 },
  })
  const { registry } = edge.gateway
  const ask = async (path = '/v1/codes/R1', headers = {}): Promise<string> => {
    const answer = await fetch(edge.url + path, { headers })
    return answer.ok ? answer.text() : String(answer.status)
  }
  expect(await ask()).toBe('home')
  const enrolment = activeEnrolment(donorAt(donor.url), Date.now())
  await putEnrolment(registry, enrolment)
  await eventually(async () => {
    expect(await edge.metric('chiyuan_node_up', 'node="yanan-1",region="610600"')).toBe(1)
  })
  expect(await ask()).toBe('home')
  // It pledged to help 610100, not to serve its own by us without a bound.
  expect(await ask('/v1/codes/R1', { 'x-home': '610600' })).toBe('404')
  await putHold(registry, aHold('xian-1', 'trip', Date.now() + 60_000))
  await eventually(async () => expect(await ask()).toBe('donor'))
  const slow = ask('/v1/codes/slow')
  await eventually(() => expect(held).toHaveLength(1))
  const now = Date.now()
  await putEnrolment(registry, stepped(enrolment, { kind: 'suspend', reason: 'a test' }, { now }))
  await eventually(async () => expect(await ask()).toBe('503'))
  held[0]?.end('to the end')
  expect(await slow).toBe('to the end')
  const seen = donor.requests
  await eventually(async () => {
    expect(await edge.metric('chiyuan_node_up', 'node="yanan-1",region="610600"')).toBe(0)
  }, 4000)
  expect(donor.requests).toBe(seen)
  await eventually(() => expect(donor.connections).toBe(0), 4000)
})

it('tells operators of an enrolment that the file has come to contradict', async () => {
  await using home = await httpUpstream(named('home'))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'yanan-1': home.url } }])
  await putEnrolment(edge.gateway.registry, activeEnrolment(donorAt('http://127.0.0.1:9'), Date.now()))
  await eventually(() => {
    expect(edge.gateway.operators.warnings()).toEqual([
      'enrolment e1: node id yanan-1 is taken by the configuration file; passed over',
    ])
  })
  expect(await (await fetch(`${edge.url}/v1/codes/R1`)).text()).toBe('home')
})

it('divides an enrolled donor’s pledge among workers: together they never take more', async () => {
  const pledge = 20
  const arrivals: number[] = []
  await using donor = await httpUpstream((_, response) => {
    arrivals.push(performance.now())
    response.end('donor')
  })
  const dead = `http://127.0.0.1:${await deadPort()}`
  await using gateway = await startWorkerGateway(
    [{ code: '610100', nodes: { 'xian-1': dead } }],
    {
      enrolment: { rampMs: 0, networks: ['127.0.0.0/8'] },
      queue: { maxWaitMs: 50, targetWaitMs: 50 },
      breaker: { resetTimeoutMs: 600_000 },
    },
    3,
  )
  const terms = donorAt(donor.url, pledge)
  {
    await using registry = openEmbeddedRegistry(join(gateway.dataDir, 'chiyuan.db'))
    await putEnrolment(registry, activeEnrolment(terms, Date.now()))
  }
  const end = performance.now() + 4000
  const ask = async (): Promise<void> => {
    while (performance.now() < end) {
      const answer = await fetch(`http://127.0.0.1:${gateway.port}/v1/codes/R1`, {
        headers: { connection: 'close' },
      })
      await answer.text()
    }
  }
  await Promise.all(Array.from({ length: 6 }, ask))
  let most = 0
  for (const [i, at] of arrivals.entries()) {
    most = Math.max(most, i + 1 - arrivals.findIndex((other) => other > at - 1000))
  }
  // A bucket of one request each at the least, and shares that move.
  expect(most).toBeLessThanOrEqual(pledge + 8)
  expect(most).toBeGreaterThan(pledge / 2)
})
