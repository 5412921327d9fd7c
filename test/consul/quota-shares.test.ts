// Donors' quotas shared among gateways on one Consul: never more than the pledge in sum, as the donor counts it.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { failed, type Load, startLoad } from '../support/load.ts'
import { relayTo } from '../support/relay.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

const pledge = 60
/** Each gateway may give a tenth of a second's worth of its share at once, and one at the least. */
const burst = pledge / 10 + 3
/** Requests that were let go in one second and counted in the next, on a machine that has other things to do. */
const late = 10
const name = 'donor="610400",unit="rps"'
const readiness = z.object({ status: z.string(), warnings: z.array(z.string()) })

describeWithConsul('donors’ quotas on one Consul', () => {
  let server: ConsulServer
  let donor: Upstream
  let province: Upstream
  /** When each request reached the donor, ms. */
  const arrivals: number[] = []
  beforeAll(async () => {
    server = await startConsul()
    donor = await httpUpstream((request, response) => {
      arrivals.push(performance.now())
      named('donor')(request, response)
    })
    province = await httpUpstream(named('province'))
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await donor.close()
    await province.close()
  })

  const region = (code: string, nodes: readonly { id: string; url: string }[], more: object) => ({
    code,
    name: { zh: code, en: code },
    nodes,
    ...more,
  })
  const settings = (address: string, prefix: string) => ({
    registry: {
      driver: 'consul',
      address,
      prefix,
      timeoutMs: 500,
      waitMs: 2000,
      quotaShares: { roundMs: 300 },
    },
    regions: [
      region('610100', [], { neighbours: ['610400'], province: '610000' }),
      region('610400', [{ id: 'xianyang-1', url: donor.url }], { lends: { limitRps: pledge } }),
      region('610000', [{ id: 'shaanxi-1', url: province.url }], { tier: 'province' }),
    ],
    concurrency: { initial: 1000 },
  })
  const start = (address: string, prefix: string): Promise<TestGateway> =>
    startTestGateway([{ code: '610100', nodes: {} }], settings(address, prefix))

  const shareOf = (gateway: TestGateway): Promise<number> => gateway.metric('chiyuan_quota_share', name)
  const sharesOf = (gateways: readonly TestGateway[]): Promise<number[]> => Promise.all(gateways.map(shareOf))
  /** Loads that end with the test, however it ends. */
  function endingLoads() {
    const loads: Load[] = []
    return {
      start(url: string, ratePerSecond: number): Load {
        const load = startLoad(url, { ratePerSecond })
        loads.push(load)
        return load
      },
      stop: () => Promise.all(loads.map((load) => load.stop())),
      async [Symbol.asyncDispose]() {
        await this.stop()
      },
    }
  }
  const warningsOf = async ({ adminUrl }: TestGateway): Promise<string[]> => {
    const answer = await fetch(`${adminUrl}/readyz`, { headers: { connection: 'close' } })
    const { status, warnings } = readiness.parse(await answer.json())
    expect(status).toBe('ready')
    return warnings.filter((warning) => warning.startsWith("donors' quotas"))
  }

  /** The most that reached the donor in any second, of all that did since `from`. */
  function mostInASecond(from: number): number {
    const since = arrivals.filter((at) => at >= from)
    let first = 0
    return since.reduce((most, at, i) => {
      while (at - (since[first] ?? at) >= 1000) first += 1
      return Math.max(most, i - first + 1)
    }, 0)
  }
  /** Requests a second that reached the donor over the next while. */
  async function rateOver(ms: number): Promise<number> {
    const before = arrivals.length
    const at = performance.now()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ((arrivals.length - before) * 1000) / (performance.now() - at)
  }

  it('three gateways: shares follow demand, one that is cut off keeps its last, none of it goes to others', async () => {
    const prefix = freshPrefix()
    await using relay = await relayTo(server.port)
    await using hot = await start(relay.url, prefix)
    await eventually(async () => expect(await shareOf(hot)).toBe(pledge), 5000)
    const from = performance.now()
    await using loads = endingLoads()
    loads.start(hot.url, 2 * pledge)
    await using warm = await start(server.url, prefix)
    await using cold = await start(server.url, prefix)
    const gateways = [hot, warm, cold]
    loads.start(cold.url, 2)
    // Nearly all the demand is at one: it has nearly all of the pledge, and the others what they want.
    await eventually(async () => {
      const [most = 0, ...others] = await sharesOf(gateways)
      expect(most).toBeGreaterThan(pledge * 0.75)
      expect(Math.min(...others)).toBeGreaterThanOrEqual(pledge / 12 - 0.01)
      expect(most + others.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(pledge + 1e-6)
    }, 15_000)
    await eventually(async () => expect(await rateOver(1000)).toBeGreaterThan(pledge * 0.6), 10_000)

    relay.cut()
    loads.start(warm.url, 2 * pledge)
    await eventually(async () => {
      expect(await warningsOf(hot)).toEqual([
        expect.stringMatching(/cut off .* since .*it keeps its last shares for another \d+ s/),
      ])
    }, 5000)
    const kept = await shareOf(hot)
    await rateOver(2500)
    // It goes on with its last share; the other wants as much and gets what is free.
    const [last = 0, wanting = 0, idle = 0] = await sharesOf(gateways)
    expect(last).toBe(kept)
    expect(last).toBeGreaterThan(pledge * 0.75)
    expect(last + wanting + idle).toBeLessThanOrEqual(pledge + 1e-6)
    expect(await hot.metric('chiyuan_quota_shares_up')).toBe(0)
    expect((await hot.gateway.measured.read()).gateway.quotaSharing).toMatchObject({ state: 'last-share' })
    expect(await warningsOf(warm)).toEqual([])

    relay.mend()
    await eventually(async () => {
      const [one = 0, other = 0] = await sharesOf(gateways)
      expect(Math.min(one, other)).toBeGreaterThan(pledge * 0.3)
      expect(await warningsOf(hot)).toEqual([])
    }, 15_000)
    expect((await loads.stop()).flatMap(failed)).toEqual([])
    expect(mostInASecond(from)).toBeLessThanOrEqual(pledge + burst + late)
  }, 60_000)

  it('a gateway of two workers divides its share among them, and leaves it to the other when it stops', async () => {
    const prefix = freshPrefix()
    await using one = await start(server.url, prefix)
    await eventually(async () => expect(await shareOf(one)).toBe(pledge), 5000)
    const from = performance.now()
    const { regions, registry, concurrency } = settings(server.url, prefix)
    const admin = { port: 0, api: false }
    await using two = await startWorkerGateway([], { regions, registry, concurrency, admin })
    const shareOfTwo = async (): Promise<number> => {
      const line = (await two.metrics()).split('\n').find((text) => text.includes(`quota_share{${name}}`))
      return Number(line?.split(' ')[1] ?? 0)
    }
    await using loads = endingLoads()
    loads.start(one.url, 2 * pledge)
    const load = loads.start(`http://127.0.0.1:${two.port}`, 2 * pledge)
    await eventually(async () => {
      const shares = [await shareOf(one), await shareOfTwo()]
      expect(Math.min(...shares)).toBeGreaterThan(pledge * 0.3)
    }, 15_000)
    await eventually(async () => expect(await rateOver(1000)).toBeGreaterThan(pledge * 0.6), 10_000)
    await load.stop()
    process.kill(two.pid, 'SIGTERM')
    await two.exited
    await eventually(async () => expect(await shareOf(one)).toBe(pledge), 5000)
    await loads.stop()
    expect(mostInASecond(from)).toBeLessThanOrEqual(pledge + burst + late)
  }, 60_000)
})
