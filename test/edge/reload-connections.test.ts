// What a reload changes of the connections to nodes is in force at once; what it can't change stays, and is named.
import type { ServerResponse } from 'node:http'
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it('fewer connections to a node, without a failed request', async () => {
  const held: ServerResponse[] = []
  await using node = await httpUpstream((_request, response) => held.push(response))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
  })
  const ask = async (): Promise<number> => (await fetch(edge.url)).status
  const before = Array.from({ length: 5 }, ask)
  await eventually(() => expect(held).toHaveLength(5))
  const attempts = { ...edge.config.attempts, maxConnectionsPerNode: 1 }
  expect(edge.gateway.reload({ ...edge.config, attempts })).toEqual([])
  const after = Array.from({ length: 3 }, ask)
  await eventually(() => expect(held).toHaveLength(6))
  for (const response of held.splice(0, 5)) response.end()
  expect(await Promise.all(before)).toEqual([200, 200, 200, 200, 200])
  for (let i = 0; i < 3; i++) {
    await eventually(() => expect(held).toHaveLength(1))
    held.shift()?.end()
  }
  expect(await Promise.all(after)).toEqual([200, 200, 200])
})

it('fields that need a restart are named each time, and nothing of them is in force before', async () => {
  await using node = await httpUpstream((_request, response) => response.end('ok'))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const changed = {
    ...edge.config,
    limits: { ...edge.config.limits, urlBytes: 256 },
    lastGood: { ...edge.config.lastGood, memoryBytes: 4096 },
    attempts: { ...edge.config.attempts, idleTimeoutMs: 77 },
  }
  const named = ['limits', 'attempts.idleTimeoutMs', 'lastGood.memoryBytes']
  expect(edge.gateway.reload(changed)).toEqual(named)
  expect(edge.gateway.reload(changed)).toEqual(named)
  expect((await fetch(`${edge.url}/${'x'.repeat(300)}`)).status).toBe(200)
  expect(edge.gateway.reload(edge.config)).toEqual([])
})
