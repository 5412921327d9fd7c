// From a region node's own word to a resident's answer: nodes enter themselves, a gateway finds and uses them, and
// residents notice nothing of one that stops or is killed.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { RESIDENT, spawnNode } from '../region-node/running-node.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { startTestGateway } from '../support/gateway.ts'
import { failed, startLoad } from '../support/load.ts'
import { eventually } from '../support/eventually.ts'

describeWithConsul('region nodes that enter themselves', () => {
  let server: ConsulServer
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'are found, used, and missed by nobody after %s',
    async (signal) => {
      const [first, second] = [`n-${randomUUID()}`, `n-${randomUUID()}`]
      const start = (name: string) => spawnNode('--name', name, '--consul', server.url, '--notice-ms', '1500')
      await using gone = await start(first)
      await using staying = await start(second)
      await using gateway = await startTestGateway([{ code: '610100', nodes: {} }], {
        discovery: { driver: 'consul', address: server.url },
        health: { path: '/readyz' },
      })
      await eventually(() => {
        const ids = [...gateway.gateway.snapshot().nodes.values()].map(({ id }) => String(id))
        expect(ids).toEqual(expect.arrayContaining([first, second]))
      }, 10_000)
      const load = startLoad(gateway.url, { ratePerSecond: 50, path: () => `/v1/codes/${RESIDENT}` })
      await load.until(({ status }) => status === 200, 20)
      const before = load.samples.length
      gone.child.kill(signal)
      await gone.ended
      await load.until(({ status }) => status === 200, 100)
      const samples = await load.stop()
      expect(failed(samples.slice(before))).toEqual([])
      expect(staying.child.exitCode).toBeNull()
    },
    60_000,
  )
})
