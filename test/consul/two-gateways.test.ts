// Two gateways on one Consul: what is decided at one is in force at the other; residents never notice Consul.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { z } from 'zod'
import { nodeId } from '../../gateway/model/ids.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix } from '../support/consul-registry.ts'
import { aLease, endLease, putLease } from '../support/drills.ts'
import { activeEnrolment, putEnrolment } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { failed, type Load, startLoad } from '../support/load.ts'
import { callApi } from '../support/operator-token.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

const madeHold = z.object({ id: z.string() })
const problem = z.object({ type: z.string(), detail: z.string() })
const readiness = z.object({ status: z.string(), warnings: z.array(z.string()) })
const trip = { kind: 'trip', region: '610100', reason: 'drill', seconds: 600, override: true }

describeWithConsul('two gateways on one Consul', () => {
  let server: ConsulServer
  let home: Upstream
  let neighbour: Upstream
  let prefix: string
  beforeAll(async () => {
    server = await startConsul()
    home = await httpUpstream(named('home'))
    neighbour = await httpUpstream(named('neighbour'))
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await home.close()
    await neighbour.close()
  })
  beforeEach(() => {
    prefix = freshPrefix()
  })

  const troubles = [
    {
      name: 'hangs',
      fail: async () => server.freeze(),
      heal: async () => server.thaw(),
    },
    { name: 'is killed', fail: () => server.kill(), heal: () => server.start() },
  ]

  const gateway = (): Promise<TestGateway> =>
    startTestGateway(
      [
        { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
        { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
      ],
      {
        admin: { port: 0, api: true },
        concurrency: { initial: 1000 },
        registry: { driver: 'consul', address: server.url, prefix, timeoutMs: 500, waitMs: 2000 },
      },
    )

  const readyz = async ({ adminUrl }: TestGateway) =>
    readiness.parse(await (await fetch(`${adminUrl}/readyz`, { headers: { connection: 'close' } })).json())

  /** Puts a hold at one gateway and ends it. @returns How long each took to be seen by the load, ms. */
  async function tripAndEnd(at: TestGateway, token: string, load: Load): Promise<readonly number[]> {
    const seenBy = (body: string, from: number): Promise<void> =>
      eventually(() => expect(load.samples.slice(from).some((sample) => sample.body === body)).toBe(true))
    let since = performance.now()
    const made = await callApi(at.adminUrl, token, 'POST', '/holds', trip)
    expect(made.status).toBe(201)
    await seenBy('neighbour', load.samples.length)
    const put = performance.now() - since
    const { id } = madeHold.parse(await made.json())
    since = performance.now()
    expect((await callApi(at.adminUrl, token, 'DELETE', `/holds/${id}?reason=over`)).status).toBe(204)
    await seenBy('home', load.samples.length)
    return [put, performance.now() - since]
  }

  it('a hold put and ended at one is in force at the other within a second', async () => {
    await using one = await gateway()
    await using two = await gateway()
    const token = one.gateway.firstToken ?? ''
    expect(two.gateway.firstToken).toBeNull()
    const load = startLoad(two.url, { ratePerSecond: 200 })
    await load.until(({ body }) => body === 'home', 20)
    const times: number[] = []
    for (let i = 0; i < 5; i++) times.push(...(await tripAndEnd(one, token, load)))
    expect(failed(await load.stop())).toEqual([])
    expect(Math.max(...times)).toBeLessThan(1000)
    // One audit log, whichever gateway is asked; and the token of one is good at the other.
    const events = await Promise.all(
      [one, two].map(async ({ adminUrl }) => (await callApi(adminUrl, token, 'GET', '/audit')).json()),
    )
    expect(events[0]).toEqual(events[1])
  })

  it('a drill’s lease, the mode, an enrolment and a revoked token reach the other within a second', async () => {
    await using one = await gateway()
    await using two = await gateway()
    const token = one.gateway.firstToken ?? ''
    const { token: another, id } = z.object({ token: z.string(), id: z.string() }).parse(
      await (
        await callApi(one.adminUrl, token, 'POST', '/tokens', {
          name: 'Wang',
          roles: ['viewer'],
          scope: '*',
          reason: 'a test',
        })
      ).json(),
    )
    await eventually(async () => {
      expect((await callApi(two.adminUrl, another, 'GET', '/me')).status).toBe(200)
    })
    const registry = one.gateway.registry
    const lease = aLease({ kind: 'trip' })
    const valid = { validFrom: Date.now() - 1000, validUntil: Date.now() + 600_000 }
    const changes = [
      {
        what: 'lease',
        make: () => putLease(registry, lease),
        seen: () => two.gateway.snapshot().drills.some(({ drill }) => drill === lease.drill),
      },
      {
        what: 'end of a lease',
        make: () => endLease(registry, lease),
        seen: () => two.gateway.snapshot().drills.length === 0,
      },
      {
        what: 'mode',
        make: () => callApi(one.adminUrl, token, 'PUT', '/mode', { mode: 'emergency', reason: 'a test' }),
        seen: () => two.gateway.snapshot().mode === 'emergency',
      },
      {
        what: 'enrolment',
        make: () => putEnrolment(registry, activeEnrolment(valid, Date.now())),
        seen: () => two.gateway.snapshot().nodes.has(nodeId('yanan-1')),
      },
      {
        what: 'revoked token',
        make: () => callApi(one.adminUrl, token, 'DELETE', `/tokens/${id}?reason=left`),
        seen: async () => (await callApi(two.adminUrl, another, 'GET', '/me')).status === 401,
      },
    ]
    for (const { what, make, seen } of changes) {
      const since = performance.now()
      await make()
      await eventually(async () => expect([what, await seen()]).toEqual([what, true]), 5000)
      expect([what, performance.now() - since < 1000]).toEqual([what, true])
    }
  })

  it('of several that start at one moment on an empty prefix, one shows the first token', async () => {
    const gateways = await Promise.all([gateway(), gateway(), gateway()])
    try {
      const tokens = gateways.map((each) => each.gateway.firstToken).filter((token) => token !== null)
      expect(tokens).toHaveLength(1)
      for (const { adminUrl } of gateways) {
        await eventually(async () => {
          expect((await callApi(adminUrl, tokens[0] ?? '', 'GET', '/me')).status).toBe(200)
        })
      }
    } finally {
      await Promise.all(gateways.map((each) => each.close()))
    }
  })

  it('changes at both at once are all made, in one chain', async () => {
    await using one = await gateway()
    await using two = await gateway()
    const token = one.gateway.firstToken ?? ''
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        callApi((i % 2 === 0 ? one : two).adminUrl, token, 'POST', '/holds', {
          ...trip,
          kind: 'bypass',
          reason: `of ${i}`,
        }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    await eventually(() => expect(two.gateway.snapshot().holds).toEqual(one.gateway.snapshot().holds))
    const verified: unknown = await (await callApi(two.adminUrl, token, 'GET', '/audit/verification')).json()
    expect(verified).toMatchObject({ whole: true })
  })

  it.each(troubles)('residents notice nothing while Consul $name, and it heals', async ({ fail, heal }) => {
    await using one = await gateway()
    await using two = await gateway()
    const token = one.gateway.firstToken ?? ''
    expect((await callApi(one.adminUrl, token, 'POST', '/holds', trip)).status).toBe(201)
    const gateways = [one, two]
    const loads = gateways.map(({ url }) => startLoad(url, { ratePerSecond: 100 }))
    for (const load of loads) await load.until(({ body }) => body === 'neighbour', 20)
    await fail()
    try {
      for (const each of gateways) {
        await eventually(async () => {
          const { status, warnings } = await readyz(each)
          expect([status, warnings]).toEqual([
            'ready',
            [expect.stringMatching(/registry lost: Consul at http/)],
          ])
          expect(await each.metric('chiyuan_registry_up')).toBe(0)
        }, 10_000)
        const at = performance.now()
        const refused = await callApi(each.adminUrl, token, 'POST', '/holds', trip)
        expect(refused.status).toBe(503)
        // A reading that is under way, and our own: 500 ms each at the most, and none for each record after them.
        expect(performance.now() - at).toBeLessThan(1450)
        expect(await each.metric('chiyuan_internal_errors_total')).toBe(0)
        expect(refused.headers.get('retry-after')).toBe('5')
        const { type, detail } = problem.parse(await refused.json())
        expect([type, detail]).toEqual([
          'urn:chiyuan:problem:unavailable',
          expect.stringMatching(
            /Consul at http:\S+ (?:did not answer|can't be).*residents are served as before/,
          ),
        ])
      }
    } finally {
      await heal()
    }
    for (const each of gateways) {
      await eventually(async () => expect((await readyz(each)).warnings).toEqual([]), 10_000)
    }
    const marks = loads.map(({ samples }) => samples.length)
    const { id } = madeHold.parse(
      z
        .object({ items: z.array(madeHold).length(1) })
        .parse(await (await callApi(two.adminUrl, token, 'GET', '/holds')).json()).items[0],
    )
    expect((await callApi(two.adminUrl, token, 'DELETE', `/holds/${id}?reason=over`)).status).toBe(204)
    for (const [i, load] of loads.entries()) {
      await eventually(() => {
        expect(load.samples.slice(marks[i]).some(({ body }) => body === 'home')).toBe(true)
      }, 5000)
      const samples = await load.stop()
      expect(failed(samples)).toEqual([])
      // The hold was in force all the time.
      expect(samples.slice(20, marks[i]).filter(({ body }) => body !== 'neighbour')).toEqual([])
    }
  })

  it.each(troubles)(
    'starts while Consul $name, serves, and takes over what was decided',
    async ({ fail, heal }) => {
      let token: string
      {
        await using before = await gateway()
        token = before.gateway.firstToken ?? ''
        expect((await callApi(before.adminUrl, token, 'POST', '/holds', trip)).status).toBe(201)
      }
      await fail()
      try {
        await using one = await gateway()
        const load = startLoad(one.url, { ratePerSecond: 50 })
        await load.until(({ body }) => body === 'home', 10)
        expect((await readyz(one)).warnings).toHaveLength(1)
        await heal()
        await load.until(({ body }) => body === 'neighbour', 10)
        expect(failed(await load.stop())).toEqual([])
        await eventually(async () => {
          expect((await callApi(one.adminUrl, token, 'GET', '/holds')).status).toBe(200)
        }, 8000)
      } finally {
        await heal()
      }
    },
  )
})
