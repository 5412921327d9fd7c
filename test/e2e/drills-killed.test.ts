// A gateway that is killed in the middle of a drill: what it left goes on, is restored or is over, and is reported.
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { fromPartRecord, partsOf } from '../../gateway/control/drills/part-record.ts'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { askAway, DrillOperator } from '../support/drill-client.ts'
import { eventually } from '../support/eventually.ts'
import { type KilledGateway, startKilledGateway } from '../support/killed-gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const shown = z.looseObject({ id: z.string(), state: z.string() })

async function drilled(workers = 1) {
  const own = await httpUpstream(named('own'))
  const neighbour = await httpUpstream(named('neighbour'))
  const province = await httpUpstream(named('province'))
  const gateway = await startKilledGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
      { code: '610000', tier: 'province', nodes: { 'shaanxi-1': province.url } },
    ],
    workers,
  )
  return {
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await Promise.all([own.close(), neighbour.close(), province.close()])
    },
  }
}

const lead = ({ adminUrl, token }: KilledGateway): DrillOperator => new DrillOperator(adminUrl, token)
const stateOf = async (gateway: KilledGateway, id: string): Promise<string> =>
  shown.parse((await lead(gateway).get(`/drills/${id}`)).body).state
const reportOf = async (gateway: KilledGateway, id: string) =>
  drillReportSchema.parse((await lead(gateway).get(`/drills/${id}/report`)).body)

/** Of its part in the registry, once its fault is on. */
async function keptRequests({ dataDir }: KilledGateway, id: string): Promise<number> {
  await using registry = openEmbeddedRegistry(join(dataDir, 'chiyuan.db'))
  const [record] = await registry.list(partsOf(id))
  const part = record === undefined ? null : await fromPartRecord(record)
  return part?.measures.timeline.faultOn === undefined
    ? 0
    : part.measures.cohort.requests + part.measures.control.requests
}

/** A tenth of residents meets a tripped node. @returns Its id, once it runs. */
async function start(gateway: KilledGateway, seconds: number, cohort = 0.1): Promise<string> {
  const answer = await lead(gateway).post('/drills', {
    name: 'killed',
    reason: 'a test',
    scope: { homes: ['610100'], levels: ['local'] },
    fault: { kind: 'trip' },
    cohort,
    seconds,
  })
  const { id } = shown.parse(answer.body)
  await lead(gateway).post(`/drills/${id}/preview`)
  const started = await lead(gateway).post(`/drills/${id}/start`)
  expect([started.status, started.text]).toEqual([200, expect.stringContaining('running')])
  return id
}

/** Of a hundred residents, those that the neighbour answers; few at once, so that nobody is sent on for want of room. */
async function moved({ url }: KilledGateway): Promise<number> {
  let count = 0
  for (let i = 0; i < 100; i += 4) {
    const answers = await Promise.all(
      [i, i + 1, i + 2, i + 3].map(async (resident) => (await fetch(`${url}/v1/codes/R${resident}`)).text()),
    )
    count += answers.filter((by) => by === 'neighbour').length
  }
  return count
}

it('goes on with the same residents while its lease is alive, and ends by its time', async () => {
  await using world = await drilled()
  const { gateway } = world
  const id = await start(gateway, 8)
  await eventually(async () => expect(await moved(gateway)).toBeGreaterThan(2), 5000)
  const before = await moved(gateway)
  // What is measured is kept every two seconds.
  await eventually(async () => expect(await keptRequests(gateway, id)).toBeGreaterThanOrEqual(200), 5000)
  const killedAt = Date.now()
  await gateway.kill()
  await gateway.restart()
  await eventually(async () => expect(await moved(gateway)).toBe(before), 3000)
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('reported'), 12_000)
  expect(await moved(gateway)).toBe(0)
  const report = await reportOf(gateway, id)
  expect(report).toMatchObject({ verdict: 'interrupted', run: { ending: 'time' }, control: { errors: 0 } })
  // Its figures from before are in, those that were lost are named, and its fault began only once.
  expect(report.cohort.requests + report.control.requests).toBeGreaterThanOrEqual(300)
  expect(report.timeline.faultOn).toBeLessThan(killedAt)
  const [{ gateway: name, missing } = { gateway: '', missing: [] }, ...others] = report.gateways
  expect([name, others]).toEqual([expect.stringMatching(/^chiyuan-[0-9a-f]{8}$/), []])
  expect(missing).toHaveLength(1)
  expect(killedAt - (missing[0]?.from ?? 0)).toBeLessThan(5000)
  expect(missing[0]?.to).toBeGreaterThan(killedAt)
  // Nothing is left of what was kept meanwhile.
  await eventually(async () => expect(await keptRequests(gateway, id)).toBe(0), 4000)
}, 40_000)

it('is over where its lease ended meanwhile, and is reported as interrupted', async () => {
  await using world = await drilled()
  const { gateway } = world
  const id = await start(gateway, 2)
  await eventually(async () => expect(await moved(gateway)).toBeGreaterThan(2), 5000)
  await gateway.kill()
  await new Promise((resolve) => setTimeout(resolve, 2500))
  await gateway.restart()
  expect(await moved(gateway)).toBe(0)
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('aborted'), 5000)
  expect(await reportOf(gateway, id)).toMatchObject({
    verdict: 'interrupted',
    run: { ending: 'interrupted' },
  })
}, 40_000)

it('killed while it brings residents back, it is over and reported', async () => {
  await using world = await drilled()
  const { gateway } = world
  const id = await start(gateway, 1)
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('restoring'), 6000)
  await gateway.kill()
  await gateway.restart()
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('reported'), 5000)
  const report = await reportOf(gateway, id)
  // Whole where the gateway had told of its end before it was killed.
  const isWhole = report.gateways.every(({ missing }) => missing.length === 0)
  expect([report.run.ending, report.verdict]).toEqual(['time', isWhole ? 'no-traffic' : 'interrupted'])
}, 40_000)

it('killed in any state before or after, it is where it was, and goes on from there', async () => {
  await using world = await drilled()
  const { gateway } = world
  const killed = async (id: string): Promise<string> => {
    await gateway.kill()
    await gateway.restart()
    return stateOf(gateway, id)
  }
  const step = async (id: string, name: string, by = lead(gateway)): Promise<void> => {
    const { status, text } = await by.post(`/drills/${id}/${name}`)
    expect([name, status, text]).toEqual([name, 200, text])
  }
  const plan = {
    name: 'next',
    reason: 'a test',
    scope: { homes: ['610100'], levels: ['local'] },
    fault: { kind: 'trip' },
    cohort: 0.5,
    seconds: 1,
  }
  const draft = async (changes: object = {}): Promise<string> =>
    shown.parse((await lead(gateway).post('/drills', { ...plan, ...changes })).body).id
  const at = Date.now() + 12_000
  const id = await draft({ schedule: { kind: 'once', at } })
  expect(await killed(id)).toBe('draft')
  await step(id, 'preview')
  expect(await killed(id)).toBe('previewed')
  const wang = await lead(gateway).another('Wang', 'approver')
  await step(id, 'approve', wang)
  expect(await killed(id)).toBe('approved')
  await step(id, 'schedule')
  expect(await killed(id)).toBe('scheduled')
  // Its time comes at a gateway that has never heard anybody ask for it.
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('reported'), 25_000)
  expect(Date.now()).toBeGreaterThan(at)
  const report = await reportOf(gateway, id)
  expect(report).toMatchObject({ approver: { name: 'Wang' }, run: { ending: 'time' } })
  expect(await killed(id)).toBe('reported')
  expect(await reportOf(gateway, id)).toEqual(report)
  const refused = await draft()
  await step(refused, 'preview')
  await step(refused, 'refuse', new DrillOperator(gateway.adminUrl, wang.accessToken))
  expect(await killed(refused)).toBe('refused')
  const given = await draft()
  await step(given, 'stop')
  expect(await killed(given)).toBe('aborted')
}, 60_000)

it('of several workers each takes its part, and their figures are one', async () => {
  await using world = await drilled(2)
  const { gateway } = world
  const id = await start(gateway, 3)
  await using residents = askAway(gateway.url, 100)
  await eventually(async () => expect(await stateOf(gateway, id)).toBe('reported'), 15_000)
  await residents.stop()
  const report = await reportOf(gateway, id)
  const { faultOn = 0, faultOff = 0 } = report.timeline
  const during = residents.seen.filter(({ at }) => at > faultOn && at < faultOff)
  const all = report.cohort.underFault.requests + report.control.underFault.requests
  expect(Math.abs(all - during.length)).toBeLessThan(during.length * 0.05 + 10)
  // On a busy machine a request of the control may find its node full for a moment, as any other.
  const [most] = report.control.byLevel
  expect(most?.level).toBe('local 610100')
  expect((most?.requests ?? 0) / report.control.requests).toBeGreaterThan(0.97)
  expect(residents.seen.every(({ status }) => status === 200)).toBe(true)
}, 40_000)
