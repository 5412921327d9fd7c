// What somebody with a node's token may put into the catalogue, against a real Consul: residents and operators are none
// the worse.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { answering, deregister, readyz, register } from '../support/catalogue.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { failed, startLoad } from '../support/load.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

describeWithConsul('a catalogue that somebody else writes too', () => {
  let server: ConsulServer
  let own: Upstream
  let evil: Upstream
  let service: string
  beforeAll(async () => {
    server = await startConsul()
    own = await httpUpstream(named('own'))
    evil = await httpUpstream(named('evil'))
  }, 240_000)
  afterAll(async () => {
    await own.close()
    await evil.close()
    await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    service = `chiyuan-node-${randomUUID()}`
    await register(server, { service, id: 'own', url: own.url, region: '610100' })
  })

  const start = (
    changes: Record<string, unknown> = {},
    nodes: Record<string, string> = {},
  ): Promise<TestGateway> =>
    startTestGateway([{ code: '610100', discover: true, nodes }], {
      discovery: {
        driver: 'consul',
        address: server.url,
        service,
        timeoutMs: 1000,
        waitMs: 1000,
        drainMs: 300,
      },
      ...changes,
    })
  const put = async (changed: object): Promise<number> => {
    const entry = { Name: service, ID: `evil-${randomUUID()}`, Address: '127.0.0.1', Port: 1, ...changed }
    return (await server.ask('PUT', '/agent/service/register', JSON.stringify(entry))).status
  }
  /** As an agent does for its machine: Consul does not look at what it says. */
  const putRaw = async (Service: object): Promise<number> => {
    const entry = {
      Node: `m-${randomUUID()}`,
      Address: '127.0.0.1',
      Service: { Service: service, ID: `raw-${randomUUID()}`, Port: 1, ...Service },
    }
    return (await server.ask('PUT', '/catalog/register', JSON.stringify(entry))).status
  }

  it('with ports, addresses and Meta that are none: each is left out alone, and told of in plain characters', async () => {
    const big = `\u001b[2J${'x'.repeat(100_000)}`
    const wrong = [
      await put({ Port: 70_000, Meta: { region: '610100' } }),
      await put({ Port: 0, Meta: { region: '610100' } }),
      await put({ Meta: { region: `\u001b]0;owned\u0007` } }),
      await put({ Meta: { region: '610100', weight: '\u202e1' } }),
      await put({ Address: 'user@127.0.0.1', Meta: { region: '610100' } }),
      await putRaw({ Port: -1, Meta: { region: '610100', node: 'minus' } }),
      await putRaw({ Meta: { region: big } }),
      await putRaw({ ID: `\u001b[31m\n${randomUUID()}`, Meta: null }),
    ]
    await using edge = await start()
    expect(await answering(edge)).toEqual(['own'])
    const { status, warnings } = await readyz(edge)
    expect([status, warnings.length]).toEqual(['ready', wrong.filter((code) => code === 200).length])
    // Those that Consul takes too, or nothing was tried.
    expect(warnings.length).toBeGreaterThanOrEqual(5)
    expect(warnings.join('\n').length).toBeLessThan(3000)
    expect(warnings.join('')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  })

  it('with the id of a node that is in use, or of one of the file, changes nothing', async () => {
    await using file = await httpUpstream(named('file'))
    await using edge = await start({}, { file: file.url })
    expect(await answering(edge)).toEqual(['file', 'own'])
    for (const node of ['own', 'file'])
      await register(
        server,
        { service, id: `0-${node}`, url: evil.url, region: '610100' },
        { Meta: { region: '610100', node } },
      )
    await eventually(async () => expect((await readyz(edge)).warnings).toHaveLength(2), 5000)
    expect(await answering(edge)).toEqual(['file', 'own'])
    expect(evil.requests).toBe(0)
  })

  it('with machines’ own and clouds’ addresses is asked nothing there, by name neither', async () => {
    await using edge = await start({ enrolment: { networks: [] } })
    for (const [i, Address] of [
      '127.0.0.1',
      '169.254.169.254',
      '100.100.100.200',
      'localhost',
      '::1',
      '::ffff:127.0.0.1',
      '2130706433',
      '0',
    ].entries())
      await put({ Address, Port: evil.port, Meta: { region: '610100', node: `inner-${i}` } })
    await eventually(() => expect(edge.gateway.snapshot().nodes.size).toBeGreaterThan(6), 5000)
    const before = evil.requests
    for (let i = 0; i < 20; i += 1) expect((await fetch(`${edge.url}/v1/codes/R${i}`)).status).toBe(503)
    expect([evil.requests, evil.connections]).toEqual([before, 0])
  })

  it('with a node that has another address each moment: residents are served, and no connection is left behind', async () => {
    const there = { service, id: 'flap', region: '610100' }
    await using one = await httpUpstream(named('flap'))
    await using two = await httpUpstream(named('flap'))
    await register(server, { ...there, url: one.url })
    await using edge = await start()
    const load = startLoad(edge.url, { ratePerSecond: 200 })
    for (let i = 0; i < 12; i += 1) {
      await register(server, { ...there, url: (i % 2 === 0 ? two : one).url })
      const from = load.samples.length
      await eventually(() => expect(load.samples.length).toBeGreaterThan(from + 40), 5000)
    }
    expect(failed(await load.stop())).toEqual([])
    expect([one.requests > 0, two.requests > 0]).toEqual([true, true])
    await deregister(server, 'flap')
    await eventually(() => expect([...edge.gateway.snapshot().nodes.keys()]).toEqual(['own']), 5000)
    await eventually(() => expect([one.connections, two.connections]).toEqual([0, 0]), 8000)
  }, 30_000)

  it('maintenance of an instance that has no check drains it', async () => {
    await register(server, { service, id: 'bare', url: evil.url, region: '610100' })
    await using edge = await start()
    await eventually(async () => expect(await answering(edge)).toEqual(['evil', 'own']))
    await server.ask('PUT', '/agent/service/maintenance/bare?enable=true')
    await eventually(async () => expect(await answering(edge)).toEqual(['own']), 5000)
  })
})
