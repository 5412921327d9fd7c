// Nodes that are found in a real Consul's catalogue: served, doubted, drained, and never lost with Consul.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const warned = z.object({ status: z.string(), warnings: z.array(z.string()) })

describeWithConsul('nodes in the catalogue', () => {
  let server: ConsulServer
  beforeAll(async () => {
    server = await startConsul()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  /** A gateway that knows two regions and finds their nodes under a service name of its own. */
  async function world(changes: object = {}, more: Record<string, unknown> = {}) {
    const service = `chiyuan-node-${randomUUID()}`
    const started = new AsyncDisposableStack()
    const register = async (id: string, url: string, changed: object = {}): Promise<void> => {
      const { hostname, port } = new URL(url)
      const body = {
        Name: service,
        ID: id,
        Address: hostname,
        Port: Number(port),
        Meta: { region: '610100', node: id },
        Check: { CheckID: `check-${id}`, TTL: '10m', Status: 'passing' },
        ...changed,
      }
      const answer = await server.ask('PUT', '/agent/service/register', JSON.stringify(body))
      expect([answer.status, await answer.text()]).toEqual([200, ''])
    }
    const deregister = (id: string) => server.ask('PUT', `/agent/service/deregister/${id}`)
    started.defer(async () => {
      const text = await (await server.ask('GET', `/catalog/service/${service}`)).text()
      for (const { ServiceID } of z.array(z.object({ ServiceID: z.string() })).parse(JSON.parse(text)))
        await deregister(ServiceID)
    })
    const node = async (name: string) => started.use(await httpUpstream(named(name)))
    const start = async (): Promise<TestGateway> =>
      started.use(
        await startTestGateway(
          [
            { code: '610100', neighbours: ['610400'], nodes: {} },
            { code: '610400', nodes: {} },
          ],
          {
            discovery: {
              driver: 'consul',
              address: server.url,
              service,
              timeoutMs: 1000,
              waitMs: 1000,
              drainMs: 300,
              ...changes,
            },
            ...more,
          },
        ),
      )
    return {
      service,
      register,
      deregister,
      node,
      start,
      maintain: (id: string, on: boolean) =>
        server.ask('PUT', `/agent/service/maintenance/${id}?enable=${on}&reason=test`),
      check: (id: string, status: 'pass' | 'fail') => server.ask('PUT', `/agent/check/${status}/check-${id}`),
      [Symbol.asyncDispose]: () => started.disposeAsync(),
    }
  }

  const by = async ({ url }: TestGateway, resident: number): Promise<string> =>
    (await fetch(`${url}/v1/codes/R${resident}`)).text()
  /** Who answers a hundred residents. */
  async function answering(edge: TestGateway): Promise<string[]> {
    const names = new Set<string>()
    for (let i = 0; i < 100; i += 10)
      for (const name of await Promise.all(Array.from({ length: 10 }, (_, k) => by(edge, i + k))))
        names.add(name)
    return [...names].sort()
  }
  const readyz = async ({ adminUrl }: TestGateway) =>
    warned.parse(await (await fetch(`${adminUrl}/readyz`)).json())

  it('are served; one that comes is, one that goes is drained, and nobody notices', async () => {
    await using at = await world()
    const [a, b] = [await at.node('a'), await at.node('b')]
    await at.register('a', a.url)
    const edge = await at.start()
    expect(await answering(edge)).toEqual(['a'])
    await at.register('b', b.url)
    await eventually(async () => expect(await answering(edge)).toEqual(['a', 'b']), 5000)
    expect(await edge.metric('chiyuan_discovery_nodes', 'datacenter="local"')).toBe(2)
    await at.deregister('a')
    await eventually(async () => expect(await answering(edge)).toEqual(['b']), 5000)
    expect(
      await edge.metric(
        'chiyuan_requests_total',
        'home="610100",level="local",region="610100",outcome="unavailable"',
      ),
    ).toBe(0)
    await eventually(() => expect([...edge.gateway.snapshot().nodes.keys()]).toEqual(['b']), 5000)
  })

  it('stand beside the file’s own, and in the levels of other homes', async () => {
    await using at = await world()
    const far = await at.node('far')
    await at.register('far', far.url, { Meta: { region: '610400', node: 'far' } })
    const edge = await at.start()
    expect(await answering(edge)).toEqual(['far'])
  })

  it('in maintenance get nothing new; out of it they are back', async () => {
    await using at = await world()
    const [a, b] = [await at.node('a'), await at.node('b')]
    await at.register('a', a.url)
    await at.register('b', b.url)
    const edge = await at.start()
    await eventually(async () => expect(await answering(edge)).toEqual(['a', 'b']))
    await at.maintain('a', true)
    await eventually(async () => expect(await answering(edge)).toEqual(['b']), 5000)
    await at.maintain('a', false)
    await eventually(async () => expect(await answering(edge)).toEqual(['a', 'b']), 5000)
  })

  it('that Consul finds critical and we do not are served on; one bad probe of ours confirms it', async () => {
    await using at = await world({}, { health: { intervalMs: 60_000, fall: 5 } })
    let isWell = true
    await using a = await httpUpstream(
      (request, response) => {
        if (!isWell && request.url === '/healthz') response.statusCode = 503
        named('a')(request, response)
      },
      { seesProbes: true },
    )
    const b = await at.node('b')
    await at.register('a', a.url)
    await at.register('b', b.url)
    const edge = await at.start()
    const known = () => edge.gateway.snapshot().suspects.size
    await at.check('a', 'fail')
    await eventually(() => expect(known()).toBe(1), 5000)
    expect(await answering(edge)).toEqual(['a', 'b'])
    await at.check('a', 'pass')
    await eventually(() => expect(known()).toBe(0), 5000)
    isWell = false
    // With a minute between probes nobody would know for five minutes.
    await at.check('a', 'fail')
    await eventually(async () => expect(await answering(edge)).toEqual(['b']), 5000)
  })

  it('that can’t be used are left out and named, and harm no other', async () => {
    await using at = await world()
    const a = await at.node('a')
    await at.register('a', a.url)
    await at.register('bad', a.url, { Meta: { region: 'nowhere', node: 'bad' } })
    const edge = await at.start()
    expect(await answering(edge)).toEqual(['a'])
    expect((await readyz(edge)).warnings).toEqual([
      expect.stringMatching(/catalogue's bad on .*: Meta region is "nowhere"/),
    ])
  })

  it('stay while Consul is frozen, killed, or lists nothing any more', async () => {
    await using at = await world()
    const [a, b] = [await at.node('a'), await at.node('b')]
    await at.register('a', a.url)
    await at.register('b', b.url)
    const edge = await at.start()
    server.freeze()
    try {
      await eventually(async () => {
        const { status, warnings } = await readyz(edge)
        expect([status, warnings]).toEqual([
          'ready',
          [expect.stringMatching(/^discovery: local can't be heard since 20/)],
        ])
      }, 8000)
      expect(await edge.metric('chiyuan_discovery_up', 'datacenter="local"')).toBe(0)
      expect(await answering(edge)).toEqual(['a', 'b'])
    } finally {
      server.thaw()
    }
    await eventually(async () => expect((await readyz(edge)).warnings).toEqual([]), 12_000)
    await at.deregister('a')
    await at.deregister('b')
    await eventually(async () =>
      expect((await readyz(edge)).warnings).toEqual([
        expect.stringContaining('lists 0 nodes where there were'),
      ]),
    )
    expect(await answering(edge)).toContain('b')
    await at.register('b', b.url)
    await eventually(async () => expect((await readyz(edge)).warnings).toEqual([]), 5000)
  }, 40_000)

  it('on the gateway’s own machine or at a cloud’s own address are not asked, where nobody allowed it', async () => {
    await using at = await world({}, { enrolment: { networks: [] } })
    const a = await at.node('a')
    await at.register('a', a.url)
    await at.register('metadata', 'http://169.254.169.254:80')
    const edge = await at.start()
    expect((await fetch(`${edge.url}/v1/codes/R1`)).status).toBe(503)
    expect(a.requests).toBe(0)
  })

  it('come when they come where Consul hangs at the start, and residents of the file’s nodes do not wait', async () => {
    await using at = await world()
    const a = await at.node('a')
    await at.register('a', a.url)
    server.freeze()
    let edge: TestGateway
    try {
      edge = await at.start()
      expect((await fetch(`${edge.url}/v1/codes/R1`)).status).toBe(503)
    } finally {
      server.thaw()
    }
    await eventually(async () => expect(await answering(edge)).toEqual(['a']), 12_000)
  }, 30_000)
})
