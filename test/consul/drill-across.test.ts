// Drills of two gateway processes on one Consul: begun at one, ended at the other, and run on when the first is killed.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { fromPartRecord, partsOf } from '../../gateway/control/drills/part-record.ts'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import { drillLeasePrefix, drillLeaseSchema } from '../../gateway/control/intent/drills.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'
import { listTyped } from '../../gateway/control/registry/typed.ts'
import type { DrillReport } from '../../gateway/policy/drill-report.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { askAway, DrillOperator } from '../support/drill-client.ts'
import { eventually } from '../support/eventually.ts'
import { type KilledGateway, startKilledGateway } from '../support/killed-gateway.ts'
import { tokenIn } from '../support/operator-token.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

interface Counted {
  readonly cohort: { readonly requests: number }
  readonly control: { readonly requests: number }
}

const shown = z.looseObject({ id: z.string(), state: z.string() })

describeWithConsul('drills of two gateways on one Consul', () => {
  const prefix = freshPrefix()
  let server: ConsulServer
  let registry: Registry
  let nodes: readonly Upstream[]
  let one: KilledGateway
  let two: KilledGateway
  beforeAll(async () => {
    server = await startConsul()
    registry = openAt(server.url, { prefix })
    const [own, neighbour, province] = await Promise.all(
      ['own', 'neighbour', 'province'].map((name) => httpUpstream(named(name))),
    )
    nodes = [own, neighbour, province].filter((node) => node !== undefined)
    const token = tokenIn(registry)
    const start = () =>
      startKilledGateway(
        [
          { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own?.url ?? '' } },
          { code: '610400', nodes: { 'xianyang-1': neighbour?.url ?? '' } },
          { code: '610000', tier: 'province', nodes: { 'shaanxi-1': province?.url ?? '' } },
        ],
        1,
        { registry: { driver: 'consul', address: server.url, prefix, timeoutMs: 1000, waitMs: 2000 } },
        () => token,
      )
    one = await start()
    // So that the first runs drills.
    await eventually(async () => expect((await holder()).length).toBeGreaterThan(0), 10_000)
    two = await start()
  }, 240_000)
  afterAll(async () => {
    await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()])
    await registry[Symbol.asyncDispose]()
    await Promise.all(nodes.map((node) => node.close()))
    await server[Symbol.asyncDispose]()
  })

  /** The session that holds the lock, `` where none does. */
  const holder = async (): Promise<string> => {
    const answer = await server.ask('GET', `/kv/${prefix}.locks/drills`)
    if (answer.status === 404) return ''
    const [row] = z.array(z.object({ Session: z.string().default('') })).parse(await answer.json())
    return row?.Session ?? ''
  }
  const lead = ({ adminUrl, token }: KilledGateway) => new DrillOperator(adminUrl, token)
  const stateAt = async (at: KilledGateway, id: string): Promise<string> =>
    shown.parse((await lead(at).get(`/drills/${id}`)).body).state
  const reportAt = async (at: KilledGateway, id: string): Promise<DrillReport> =>
    drillReportSchema.parse((await lead(at).get(`/drills/${id}/report`)).body)
  const total = ({ cohort, control }: Counted): number => cohort.requests + control.requests

  /** One in twenty residents meets refused connections at home for a minute. */
  async function begin(at: KilledGateway): Promise<string> {
    const answer = await lead(at).post('/drills', {
      name: 'across',
      reason: 'a test',
      scope: { homes: ['610100'], levels: ['local'] },
      fault: { kind: 'refuse' },
      cohort: 0.05,
      seconds: 60,
      stop: { errorShare: 1 },
    })
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"draft"')])
    const { id } = shown.parse(answer.body)
    await lead(at).post(`/drills/${id}/preview`)
    const started = await lead(at).post(`/drills/${id}/start`, { reason: 'a test', override: true })
    expect([started.status, started.text]).toEqual([200, expect.stringContaining('running')])
    return id
  }

  /** Requests in each gateway's part, by its name, of those whose fault is on. */
  async function kept(id: string): Promise<ReadonlyMap<string, number>> {
    const parts = await Promise.all((await registry.list(partsOf(id))).map(fromPartRecord))
    return new Map(
      parts.flatMap((part) =>
        part?.measures.timeline.faultOn === undefined ? [] : [[part.gateway, total(part.measures)]],
      ),
    )
  }
  const bothMeasure = (id: string): Promise<void> =>
    eventually(async () => {
      const counts = [...(await kept(id)).values()]
      expect([counts.length, Math.min(...counts) >= 100]).toEqual([2, true])
    }, 15_000)

  it('begun at one it is ended at the other, and reported with the figures of both', async () => {
    const residents = [one, two].map(({ url }) => askAway(url, 100))
    const id = await begin(one)
    await bothMeasure(id)
    expect((await lead(two).post(`/drills/${id}/stop`)).status).toBe(200)
    await eventually(async () => expect(await stateAt(two, id)).toBe('aborted'), 12_000)
    for (const each of residents) await each.stop()
    const report = await reportAt(one, id)
    expect(report).toEqual(await reportAt(two, id))
    expect(report).toMatchObject({ verdict: 'ended-early', run: { ending: 'owner' } })
    expect(report.gateways.map(({ missing }) => missing)).toEqual([[], []])
    // What both sets of residents saw while it was on, within what was on the way as it began and ended.
    const { startedAt, endedAt } = report.run
    const seen = residents.flatMap((each) => each.seen).filter(({ at }) => at > startedAt)
    expect(seen.every(({ status }) => status === 200)).toBe(true)
    const during = seen.filter(({ at }) => at < (endedAt ?? 0)).length
    expect(total(report)).toBeGreaterThan(during * 0.9)
    expect(total(report)).toBeLessThanOrEqual(seen.length + 12)
    await eventually(async () => expect(await registry.list(partsOf(id))).toEqual([]), 5000)
  }, 60_000)

  it('when the first is killed the other runs it on, ends it, and reports what both had measured', async () => {
    const residents = [one, two].map(({ url }) => askAway(url, 100))
    const id = await begin(one)
    await bothMeasure(id)
    const before = await holder()
    await residents[0]?.stop()
    const [early] = await listTyped(registry, drillLeasePrefix, drillLeaseSchema)
    const counts = await kept(id)
    await one.kill()
    // It is put off beyond what the first has left, by the other, before it ends.
    await eventually(async () => {
      const [lease] = await listTyped(registry, drillLeasePrefix, drillLeaseSchema)
      expect(lease?.value.expiresAt).toBeGreaterThan((early?.value.expiresAt ?? Infinity) + 4000)
    }, 14_000)
    const after = await holder()
    expect([after === before, after === '']).toEqual([false, false])
    expect(await stateAt(two, id)).toBe('running')
    expect((await lead(two).post(`/drills/${id}/stop`)).status).toBe(200)
    await eventually(async () => expect(await stateAt(two, id)).toBe('aborted'), 15_000)
    await residents[1]?.stop()
    const report = await reportAt(two, id)
    expect(residents[1]?.seen.every(({ status }) => status === 200)).toBe(true)
    expect(report).toMatchObject({ verdict: 'interrupted', run: { ending: 'owner' } })
    expect(report.gateways.map(({ gateway }) => gateway).toSorted()).toEqual([...counts.keys()].toSorted())
    // One was there to the end; what the other would have measured is named.
    expect(report.gateways.filter(({ missing }) => missing.length > 0)).toHaveLength(1)
    expect(total(report)).toBeGreaterThanOrEqual([...counts.values()].reduce((sum, count) => sum + count, 0))
  }, 90_000)
})
