// A cluster of three Consul servers that loses its leader, then its quorum; and a gateway of several processes on it.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { compareAndSet, RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, describeWithConsul, startCluster } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { failed, startLoad } from '../support/load.ts'
import { callApi, tokenIn } from '../support/operator-token.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

describeWithConsul('three Consul servers', () => {
  let servers: readonly ConsulServer[]
  beforeAll(async () => {
    servers = await startCluster(3)
  }, 240_000)
  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  })

  async function roles(): Promise<{ leader: ConsulServer; followers: readonly ConsulServer[] }> {
    const answers = await Promise.all(servers.map((server) => server.ask('GET', '/status/leader')))
    const named = new Set(
      await Promise.all(answers.map(async (answer) => z.string().parse(await answer.json()))),
    )
    const leader = servers.find(({ serverPort }) => named.has(`127.0.0.1:${serverPort}`))
    if (leader === undefined || named.size !== 1) throw new Error('no one leader')
    return { leader, followers: servers.filter((server) => server !== leader) }
  }

  it.each(['killed', 'frozen'] as const)(
    'with the leader %s take changes again, and they are heard of',
    async (how) => {
      const { leader, followers } = await roles()
      const [near, far] = followers
      if (near === undefined || far === undefined) throw new Error('three servers have two followers')
      const prefix = freshPrefix()
      await using one = openAt(near.url, { prefix, timeoutMs: 5000 })
      await using two = openAt(far.url, { prefix, timeoutMs: 5000 })
      await compareAndSet(one, 'k', 0, 0)
      const seen: unknown[] = []
      two.watch(
        () =>
          void two.read('k').then(
            (record) => seen.push(record?.value),
            () => {},
          ),
        () => {},
      )
      await eventually(() => expect(seen).toContain(0))
      if (how === 'killed') await leader.kill()
      else leader.freeze()
      try {
        const at = performance.now()
        await eventually(async () => {
          const current = await one.read('k')
          // What a try that was not answered has done is no conflict.
          if (current?.value !== 'after') await compareAndSet(one, 'k', 'after', current?.version ?? 0)
        }, 15_000)
        expect(performance.now() - at).toBeLessThan(15_000)
        await eventually(() => expect(seen).toContain('after'), 10_000)
      } finally {
        if (how === 'killed') await leader.start()
        else leader.thaw()
      }
      await eventually(async () => void (await roles()), 10_000)
    },
    60_000,
  )

  it('without a quorum refuse, and lose nothing', async () => {
    const { leader, followers } = await roles()
    const [near, far] = followers
    if (near === undefined || far === undefined) throw new Error('three servers have two followers')
    await using registry = openAt(near.url, { timeoutMs: 1500 })
    await compareAndSet(registry, 'k', 1, 0)
    await Promise.all([leader.kill(), far.kill()])
    try {
      // A leader that has gone may be asked for at once, or waited for.
      await expect(registry.read('k')).rejects.toThrow(RegistryUnavailable)
      await expect(compareAndSet(registry, 'k', 2, 1)).rejects.toThrow(RegistryUnavailable)
    } finally {
      await Promise.all([leader.start(), far.start()])
    }
    await eventually(async () => {
      expect((await registry.read('k'))?.value).toBe(1)
    }, 15_000)
  }, 60_000)

  it('serve a gateway of several processes, each of which hears of what is decided', async () => {
    const [server] = servers
    if (server === undefined) throw new Error('three servers were started')
    await using home = await httpUpstream(named('home'))
    await using neighbour = await httpUpstream(named('neighbour'))
    const prefix = freshPrefix()
    await using registry = openAt(server.url, { prefix })
    const token = await tokenIn(registry)
    await using gateway = await startWorkerGateway(
      [
        { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
        { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
      ],
      { registry: { driver: 'consul', prefix } },
      2,
      { CHIYUAN_REGISTRY__ADDRESS: server.url },
    )
    const entries = async (): Promise<number[]> => {
      const answer = await server.ask('GET', `/agent/services`)
      const all = z
        .record(z.string(), z.object({ Service: z.string(), Port: z.int() }))
        .parse(await answer.json())
      return Object.values(all).flatMap((one) => (one.Service === 'chiyuan-gateway' ? one.Port : []))
    }
    // Once, whatever workers it has.
    await eventually(async () => expect(await entries()).toEqual([gateway.port]), 10_000)
    const load = startLoad(`http://127.0.0.1:${gateway.port}`, { ratePerSecond: 200 })
    await load.until(({ body }) => body === 'home', 50)
    const trip = { kind: 'trip', region: '610100', reason: 'drill', seconds: 600, override: true }
    expect((await callApi(gateway.adminUrl, token, 'POST', '/holds', trip)).status).toBe(201)
    const from = load.samples.length
    await load.until(({ body }) => body === 'neighbour', 200)
    const samples = await load.stop()
    expect(failed(samples)).toEqual([])
    // A second is 200 requests; after it no worker goes home any more.
    expect(samples.slice(from + 200).filter(({ body }) => body === 'home')).toEqual([])
    process.kill(gateway.pid, 'SIGTERM')
    await eventually(async () => expect(await entries()).toEqual([]), 10_000)
    expect(await gateway.exited).toEqual([0, null])
  })
})
