// Two hundred instances come and go ten times a second in a real Consul's catalogue: Consul is asked no oftener for it, the
// snapshots stay few, and residents notice nothing.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { nodeId } from '../../gateway/model/ids.ts'
import { register } from '../support/catalogue.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { failed, quantile, startLoad } from '../support/load.ts'
import { slowProxy } from '../support/slow-proxy.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const service = 'chiyuan-node'
const instances = 200
/** What one transaction of Consul's takes. */
const batch = 64

describeWithConsul('a catalogue that churns', () => {
  let server: ConsulServer
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  /** Every second instance is there, and the others after the next call. */
  async function turn(round: number): Promise<void> {
    const operations = Array.from({ length: instances }, (_, i) => {
      const there = (i + round) % 2 === 0
      const ID = `churn-${i}`
      const Service = {
        ID,
        Service: service,
        Address: '127.0.0.1',
        // Where nobody listens.
        Port: 1 + i,
        Meta: { region: '610400', node: ID },
      }
      return { Service: { Verb: there ? 'set' : 'delete', Node: 'far', Service } }
    })
    for (let from = 0; from < instances; from += batch) {
      const answer = await server.ask('PUT', '/txn', JSON.stringify(operations.slice(from, from + batch)))
      const said = await answer.text()
      expect(answer.status === 200 ? '' : said).toBe('')
    }
  }

  it('is followed at a pace of ours', async () => {
    await using own = await httpUpstream(named('own'))
    await register(server, { service, id: 'own', url: own.url, region: '610100' })
    await server.ask('PUT', '/catalog/register', JSON.stringify({ Node: 'far', Address: '127.0.0.1' }))
    await turn(0)
    await using proxy = await slowProxy(server.port)
    await using edge = await startTestGateway(
      [
        { code: '610100', nodes: {} },
        { code: '610400', nodes: {} },
      ],
      {
        // A machine that pauses lets many be open at once.
        concurrency: { initial: 1000 },
        health: { intervalMs: 2000, fastIntervalMs: 1000, downIntervalMs: 2000 },
        discovery: { driver: 'consul', address: proxy.url, service, waitMs: 10_000, timeoutMs: 2000 },
      },
    )
    await eventually(() => expect(edge.gateway.snapshot().nodes.size).toBe(1 + instances / 2))
    const load = startLoad(edge.url, { ratePerSecond: 200 })
    await load.until(() => true, 400)
    const calm = quantile(load.samples, 0.5)

    const asked = proxy.requests
    const version = () => edge.gateway.snapshot().version
    const before = version()
    const from = load.samples.length
    const began = performance.now()
    let rounds = 0
    while (performance.now() - began < 5000) {
      rounds += 1
      await turn(rounds)
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, began + rounds * 100 - performance.now())),
      )
    }
    const seconds = (performance.now() - began) / 1000
    const [requests, versions] = [proxy.requests - asked, version() - before]
    const churned = load.samples.slice(from)
    // The watch's pace and its burst; it did follow.
    expect(requests).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 9)
    expect(versions).toBeLessThanOrEqual(requests + 1)
    expect(versions).toBeGreaterThan(2)
    expect(failed(await load.stop())).toEqual([])
    expect(quantile(churned, 0.5)).toBeLessThan(calm * 5 + 10)
    // And it comes to rest with what is there.
    await turn(1)
    await eventually(() => {
      const { holds } = edge.gateway.snapshot()
      expect([holds.get(nodeId('churn-0'))?.kind, holds.has(nodeId('churn-1'))]).toEqual(['drain', false])
    }, 5000)
  }, 40_000)
})
