// Two hundred services that churn ten times a second, in Consul's store and in its catalogue: few requests, calm residents.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { holdPrefix, holdSchema } from '../../gateway/control/intent/holds.ts'
import { watchPace } from '../../gateway/control/registry/consul/watch.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { aHold } from '../support/holds.ts'
import { type KilledGateway, startKilledGateway } from '../support/killed-gateway.ts'
import { failed, type Sample, startLoad } from '../support/load.ts'
import { tokenIn } from '../support/operator-token.ts'
import { type SlowProxy, slowProxy } from '../support/slow-proxy.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

const services = 200
const roundsPerSecond = 10
/** Operations that Consul takes in one transaction. */
const atOnce = 50

/** @param value 0 to 1 of the samples are quicker. */
const quantile = (samples: readonly Sample[], value: number): number =>
  samples.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b)[Math.floor(samples.length * value)] ??
  Infinity

describeWithConsul('a Consul that churns', () => {
  const prefix = freshPrefix()
  let server: ConsulServer
  let proxy: SlowProxy
  let node: Upstream
  let gateway: KilledGateway
  beforeAll(async () => {
    server = await startConsul()
    proxy = await slowProxy(server.port)
    node = await httpUpstream(named('own'))
    gateway = await startKilledGateway(
      [{ code: '610100', nodes: { 'xian-1': node.url } }],
      1,
      {
        concurrency: { initial: 1000 },
        registry: { driver: 'consul', address: proxy.url, prefix, timeoutMs: 1000, waitMs: 2000 },
      },
      async () => {
        await using registry = openAt(server.url, { prefix })
        return tokenIn(registry)
      },
    )
  }, 240_000)
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await node.close()
    await server[Symbol.asyncDispose]()
  })

  /** Valid holds, of nodes that are not there: each round another reason. */
  const record = (i: number, round: number): object => {
    const value = holdSchema.parse({
      ...aHold(`gone-${i}`, 'trip', Date.now() + 600_000),
      reason: `round ${round}`,
    })
    const text = JSON.stringify({ version: round + 1, value })
    return {
      KV: {
        Verb: 'set',
        Key: `${prefix}${holdPrefix}${value.id}`,
        Value: Buffer.from(text).toString('base64'),
      },
    }
  }
  const service = (i: number, round: number): object => ({
    Service: {
      Verb: 'set',
      Node: 's1',
      Service: {
        ID: `node-${i}`,
        Service: 'region-node',
        Port: 1000 + i,
        Meta: { region: '610100', limit: String(round) },
      },
    },
  })

  async function churn(seconds: number, operation: (i: number, round: number) => object): Promise<number> {
    const until = performance.now() + seconds * 1000
    let round = 0
    for (; performance.now() < until; round++) {
      const next = sleep(1000 / roundsPerSecond)
      const operations = Array.from({ length: services }, (_, i) => operation(i, round))
      const answers = await Promise.all(
        Array.from({ length: services / atOnce }, (_, i) =>
          server.ask('PUT', '/txn', JSON.stringify(operations.slice(i * atOnce, (i + 1) * atOnce))),
        ),
      )
      for (const answer of answers)
        expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
      await next
    }
    return round
  }

  const cpuSeconds = async (): Promise<number> => {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
  }

  /** What the gateway's residents, Consul and the processor see of `work`. */
  async function during(work: () => Promise<unknown>) {
    const load = startLoad(gateway.url, { ratePerSecond: 100 })
    try {
      await load.until(({ status }) => status === 200, 50)
      const from = load.samples.length
      const [requests, cpu, at] = [proxy.requests, await cpuSeconds(), performance.now()]
      await work()
      const seconds = (performance.now() - at) / 1000
      const used = (await cpuSeconds()) - cpu
      const asked = proxy.requests - requests
      return { samples: (await load.stop()).slice(from), asked, seconds, cores: used / seconds }
    } finally {
      await load.stop()
    }
  }

  it('asks Consul at its pace, and residents notice nothing', async () => {
    const calm = await during(() => sleep(3000))
    const kv = await during(async () => {
      expect(await churn(4, record)).toBeGreaterThan(10)
    })
    const catalogue = await during(async () => {
      expect(await churn(4, service)).toBeGreaterThan(10)
    })
    for (const { samples } of [calm, kv, catalogue]) expect(failed(samples)).toEqual([])
    // The intent's watch is answered at its pace, and what it tells of is read as often; all else goes on as when calm.
    const { burst, ratePerSecond } = watchPace
    const usual = (calm.asked / calm.seconds) * 2
    expect(kv.asked).toBeLessThan(2 * (burst + ratePerSecond * kv.seconds) + usual * kv.seconds + 40)
    expect(kv.asked).toBeGreaterThan(8)
    expect(catalogue.asked).toBeLessThan(usual * catalogue.seconds + 20)
    for (const { samples, cores } of [kv, catalogue]) {
      expect(quantile(samples, 0.5)).toBeLessThan(5 * quantile(calm.samples, 0.5) + 10)
      expect(cores).toBeLessThan(calm.cores + 0.5)
    }
  }, 60_000)
})
