// Two Consul datacentres joined over the WAN: a region's nodes live in the other one, and so may the records.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { answering, deregister, readyz, register } from '../support/catalogue.ts'
import { type ConsulServer, describeWithConsul, startDatacenters } from '../support/consul.ts'
import { freshPrefix } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { callApi } from '../support/operator-token.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const madeHold = z.object({ id: z.string() })

describeWithConsul('two datacentres', () => {
  let here: ConsulServer
  let there: ConsulServer
  beforeAll(async () => {
    const [one, two] = await startDatacenters(['dc1', 'dc2'])
    if (one === undefined || two === undefined) throw new Error('two servers were started')
    here = one
    there = two
  }, 240_000)
  afterAll(async () => {
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
  })

  /** A gateway in the first: two regions whose nodes are found in both. */
  const gateway = (service: string, changes: Record<string, unknown> = {}): Promise<TestGateway> =>
    startTestGateway(
      [
        { code: '610100', nodes: {} },
        { code: '620100', nodes: {} },
      ],
      {
        home: { default: '610100', pathPrefix: '/r/{home}' },
        discovery: {
          driver: 'consul',
          address: here.url,
          service,
          datacenters: ['dc1', 'dc2'],
          timeoutMs: 1000,
          waitMs: 1000,
          drainMs: 300,
        },
        ...changes,
      },
    )
  const far = '/r/620100'

  it('a region’s nodes in the other one serve; that one cut off, they stay and ours change on; healed, all change', async () => {
    const service = `chiyuan-node-${randomUUID()}`
    await using nodes = new AsyncDisposableStack()
    const node = async (name: string) => nodes.use(await httpUpstream(named(name)))
    const [a, b, x, y] = [await node('a'), await node('b'), await node('x'), await node('y')]
    const ours = (id: string, url: string) => register(here, { service, id, url, region: '610100' })
    const theirs = (id: string, url: string) => register(there, { service, id, url, region: '620100' })
    await ours('a', a.url)
    await theirs('x', x.url)
    await using edge = await gateway(service)
    expect([await answering(edge), await answering(edge, far)]).toEqual([['a'], ['x']])
    await theirs('y', y.url)
    await eventually(async () => expect(await answering(edge, far)).toEqual(['x', 'y']), 5000)

    there.freeze()
    try {
      await eventually(async () => {
        const { status, warnings } = await readyz(edge)
        const silent = expect.stringMatching(/^discovery: dc2 can't be heard since 20.*stay as they were$/)
        expect([status, warnings]).toEqual(['ready', [silent]])
      }, 12_000)
      expect(await edge.metric('chiyuan_discovery_up', 'datacenter="dc2"')).toBe(0)
      expect(await edge.metric('chiyuan_discovery_up', 'datacenter="dc1"')).toBe(1)
      await ours('b', b.url)
      await eventually(async () => expect(await answering(edge)).toEqual(['a', 'b']), 5000)
      expect(await answering(edge, far)).toEqual(['x', 'y'])
    } finally {
      there.thaw()
    }
    await eventually(async () => expect((await readyz(edge)).warnings).toEqual([]), 15_000)
    await deregister(there, 'x')
    await eventually(async () => expect(await answering(edge, far)).toEqual(['y']), 8000)
    expect(await answering(edge)).toEqual(['a', 'b'])
  }, 60_000)

  it('a datacentre that Consul does not know is named, and the others’ nodes serve', async () => {
    const service = `chiyuan-node-${randomUUID()}`
    await using a = await httpUpstream(named('a'))
    await register(here, { service, id: 'a', url: a.url, region: '610100' })
    await using edge = await gateway(service, {
      discovery: { driver: 'consul', address: here.url, service, datacenters: ['dc1', 'nowhere'] },
    })
    expect(await answering(edge)).toEqual(['a'])
    expect((await readyz(edge)).warnings).toEqual([
      expect.stringMatching(/^discovery: nowhere can't be heard since .*datacent/i),
    ])
  })

  it('records in the other one: a hold put there is in force here', async () => {
    await using a = await httpUpstream(named('a'))
    await using b = await httpUpstream(named('b'))
    const prefix = freshPrefix()
    const at = (address: string, datacenter?: string): Promise<TestGateway> =>
      startTestGateway(
        [
          { code: '610100', neighbours: ['610400'], nodes: { a: a.url } },
          { code: '610400', nodes: { b: b.url } },
        ],
        {
          admin: { port: 0, api: true },
          registry: {
            driver: 'consul',
            address,
            prefix,
            timeoutMs: 1000,
            waitMs: 1000,
            ...(datacenter !== undefined && { datacenter }),
          },
        },
      )
    await using one = await at(there.url)
    await using two = await at(here.url, 'dc2')
    const token = one.gateway.firstToken ?? ''
    expect(two.gateway.firstToken).toBeNull()
    const trip = { kind: 'trip', region: '610100', reason: 'drill', seconds: 600, override: true }
    const made = await callApi(one.adminUrl, token, 'POST', '/holds', trip)
    expect(made.status).toBe(201)
    await eventually(async () => expect(await answering(two)).toEqual(['b']), 5000)
    const { id } = madeHold.parse(await made.json())
    // And from here to there.
    expect((await callApi(two.adminUrl, token, 'DELETE', `/holds/${id}?reason=over`)).status).toBe(204)
    await eventually(async () => expect(await answering(one)).toEqual(['a']), 5000)
  }, 30_000)
})
