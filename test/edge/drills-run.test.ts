// A whole drill, as its people run it: its figures are those of residents who asked meanwhile.
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import type { DrillReport } from '../../gateway/policy/drill-report.ts'
import { askAway, DrillOperator } from '../support/drill-client.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const made = z.looseObject({ id: z.string(), state: z.string() })

async function threeLevels() {
  const own = await httpUpstream(named('own'))
  const neighbour = await httpUpstream(named('neighbour'))
  const province = await httpUpstream(named('province'))
  const gateway = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
      { code: '610000', tier: 'province', nodes: { 'shaanxi-1': province.url } },
    ],
    { admin: { port: 0, api: true } },
  )
  const lead = DrillOperator.firstOf(gateway)
  const state = async (id: string): Promise<string> =>
    made.parse((await lead.get(`/drills/${id}`)).body).state
  return {
    gateway,
    lead,
    own,
    neighbour,
    /** Drafts and previews. */
    async draft(changes: object = {}): Promise<string> {
      const plan = {
        name: 'Xi’an gone',
        reason: 'a test',
        scope: { homes: ['610100'], levels: ['local'] },
        fault: { kind: 'refuse' },
        cohort: 0.1,
        seconds: 2,
        stop: { errorShare: 1 },
        ...changes,
      }
      const answer = await lead.post('/drills', plan)
      expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"draft"')])
      const { id } = made.parse(answer.body)
      expect((await lead.post(`/drills/${id}/preview`)).status).toBe(200)
      return id
    },
    state,
    async approve(id: string): Promise<void> {
      const wang = await lead.another('Wang', 'approver')
      expect((await wang.post(`/drills/${id}/approve`)).status).toBe(200)
    },
    async until(id: string, wanted: string, withinMs = 12_000): Promise<void> {
      await eventually(async () => expect(await state(id)).toBe(wanted), withinMs)
    },
    async report(id: string): Promise<DrillReport> {
      return drillReportSchema.parse((await lead.get(`/drills/${id}/report`)).body)
    },
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await Promise.all([own.close(), neighbour.close(), province.close()])
    },
  }
}

it('approved, run to its end, and reported with the figures that residents saw', async () => {
  await using edge = await threeLevels()
  await using residents = askAway(edge.gateway.url, 120, 10)
  const id = await edge.draft({
    fault: { kind: 'errors', share: 1, status: 503 },
    cohort: 0.5,
    objectives: { detectMs: 1500, shiftMs: 2000, recoverMs: 8000, errorShare: 0.5, addedP99Ms: 2000 },
  })
  expect(await edge.lead.post(`/drills/${id}/start`)).toMatchObject({
    status: 409,
    text: expect.stringMatching(/another person/),
  })
  expect(await edge.lead.post(`/drills/${id}/approve`)).toMatchObject({
    status: 409,
    text: expect.stringMatching(/their own/),
  })
  await edge.approve(id)
  expect((await edge.lead.post(`/drills/${id}/start`, { reason: 'now', override: true })).status).toBe(200)
  await edge.until(id, 'reported')
  await residents.stop()
  const report = await edge.report(id)
  expect(report.audit.map(({ action, by, outcome }) => [action, by, outcome])).toEqual([
    ['drill.create', 'first admin', 'done'],
    ['drill.preview', 'first admin', 'done'],
    ['drill.start', 'first admin', 'refused'],
    ['drill.approve', 'first admin', 'refused'],
    ['drill.approve', 'Wang', 'done'],
    ['drill.start', 'first admin', 'done'],
    ['drill.end', expect.stringMatching(/^chiyuan-/), 'done'],
  ])
  const told = edge.gateway.gateway.events
    .recent()
    .flatMap(({ happening }) =>
      happening.kind === 'drill' && happening.drill === id ? [happening.step] : [],
    )
  const ofFault = ['fault-on', 'fault-off', 'over']
  expect(told.filter((step) => ofFault.includes(step))).toEqual(ofFault)
  expect(told.filter((step) => !ofFault.includes(step))).toEqual([
    'draft',
    'previewed',
    'approved',
    'running',
    'restoring',
    'reported',
  ])
  const drillMetric = (what: string, group: string): Promise<number> =>
    edge.gateway.metric(`chiyuan_drill_${what}_total`, `home="610100",group="${group}"`)
  expect(await drillMetric('requests', 'cohort')).toBe(report.cohort.requests)
  expect(await drillMetric('errors', 'cohort')).toBe(report.cohort.errors)
  expect(await drillMetric('requests', 'control')).toBe(report.control.requests)
  const { seen } = residents
  const errors = seen.filter(({ status }) => status >= 500)
  expect(errors.length).toBeGreaterThan(0)
  expect(report.cohort.errors + report.control.errors).toBe(errors.length)
  expect(report.control.errors).toBe(0)
  const moved = new Set(
    seen.filter(({ by, status }) => by === 'neighbour' || status === 503).map(({ resident }) => resident),
  )
  const { faultOn = 0, faultOff = 0, firstElsewhere = 0, firstFailure = 0, detected = 0 } = report.timeline
  // Exactly those residents, for every request that was begun and answered under the fault.
  const during = seen.filter(({ at, ms }) => at - ms > faultOn + 5 && at < faultOff - 5)
  expect(during.filter(({ resident, by }) => !moved.has(resident) && by !== 'own')).toEqual([])
  const cohort = during.filter(({ resident }) => moved.has(resident)).length
  expect(Math.abs(report.cohort.underFault.requests - cohort)).toBeLessThan(14)
  expect(
    Math.abs(Math.min(...seen.filter(({ by }) => by === 'neighbour').map(({ at }) => at)) - firstElsewhere),
  ).toBeLessThan(200)
  expect(firstFailure).toBeGreaterThanOrEqual(faultOn)
  expect(detected).toBeGreaterThanOrEqual(firstFailure)
  expect(Math.max(...errors.map(({ at }) => at)) - (report.timeline.shifted ?? detected)).toBeLessThan(200)
  expect(Math.abs(faultOff - faultOn - 2000)).toBeLessThan(200)
  expect(report.timeline.recovered).toBeGreaterThan(faultOff)
  expect(report.verdict).toBe('passed')
  expect(report.objectives.map(({ objective }) => objective)).toHaveLength(5)
  expect(report.donors.map(({ region }) => region)).toContain('610400')
  const html = await edge.lead.get(`/drills/${id}/report?format=html&lang=zh`)
  expect(html.text).toContain('<svg')
  expect(html.text).toContain('演练报告')
  expect((await edge.lead.get(`/drills/${id}/report?format=markdown&lang=en`)).text).toContain(
    '| time to detect, ms | 1500 |',
  )
  const board = await edge.lead.get('/drill-scoreboard?region=610100')
  // Only the nodes that the fault was put upon are proven.
  const levels = [
    { level: 'local', lastPassed: { drill: id } },
    { level: 'neighbour', lastPassed: null },
    { level: 'province', lastPassed: null },
  ]
  expect(board.body).toMatchObject({ items: [{ grade: 'ready', levels }], next: null })
  const beside = await edge.lead.get(`/drill-comparison?before=${id}&after=${id}`)
  expect(beside.body).toMatchObject({ verdict: 'same', counts: { same: 14 } })
  expect(await edge.gateway.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(0)
}, 30_000)

it('a node that fails by itself ends it within two seconds', async () => {
  await using edge = await threeLevels()
  await using residents = askAway(edge.gateway.url, 50)
  const id = await edge.draft({ seconds: 60, cohort: 0.05 })
  await edge.approve(id)
  expect((await edge.lead.post(`/drills/${id}/start`, { reason: 'now', override: true })).status).toBe(200)
  await eventually(
    () => expect(edge.gateway.gateway.rehearsals.read(id)?.timeline.faultOn).toBeDefined(),
    4000,
  )
  const failedAt = Date.now()
  await edge.neighbour.close()
  await eventually(
    () => expect(edge.gateway.gateway.rehearsals.read(id)?.timeline.faultOff).toBeDefined(),
    4000,
  )
  expect(Date.now() - failedAt).toBeLessThan(2000)
  await edge.until(id, 'aborted')
  await residents.stop()
  expect(residents.seen.every(({ status }) => status === 200)).toBe(true)
  expect(await edge.report(id)).toMatchObject({
    verdict: 'ended-early',
    run: { ending: 'failed', detail: 'xianyang-1' },
  })
}, 30_000)

it('residents who see too many errors end it', async () => {
  await using edge = await threeLevels()
  await using residents = askAway(edge.gateway.url, 40, 1)
  const id = await edge.draft({
    seconds: 60,
    cohort: 0.9,
    fault: { kind: 'errors', share: 0.2, status: 500 },
    stop: { errorShare: 0.02 },
  })
  await edge.approve(id)
  await edge.lead.post(`/drills/${id}/start`, { reason: 'now', override: true })
  await edge.until(id, 'aborted')
  await residents.stop()
  expect((await edge.report(id)).run.ending).toBe('errors')
}, 30_000)

it('the lever ends all at once and bars new ones until it is released', async () => {
  await using edge = await threeLevels()
  const id = await edge.draft({ seconds: 60 })
  expect((await edge.lead.post(`/drills/${id}/start`)).status).toBe(200)
  await eventually(
    () => expect(edge.gateway.gateway.rehearsals.read(id)?.timeline.faultOn).toBeDefined(),
    4000,
  )
  const pulledAt = Date.now()
  expect((await edge.lead.post('/drill-lever', { reason: 'enough' })).status).toBe(200)
  await eventually(() => expect(edge.gateway.gateway.rehearsals.read(id)?.timeline.faultOff).toBeDefined())
  expect(Date.now() - pulledAt).toBeLessThan(200)
  await edge.until(id, 'aborted')
  expect((await edge.report(id)).run.ending).toBe('lever')
  const next = await edge.draft()
  expect(await edge.lead.post(`/drills/${next}/start`, { reason: 'x', override: true })).toMatchObject({
    status: 409,
    text: expect.stringMatching(/lever.*nobody may overrule/),
  })
  expect((await edge.lead.delete('/drill-lever?reason=calm')).status).toBe(204)
  expect(await edge.lead.post(`/drills/${next}/start`)).toMatchObject({
    status: 409,
    text: expect.stringMatching(/wait-period/),
  })
  expect((await edge.lead.post(`/drills/${next}/start`, { reason: 'x', override: true })).status).toBe(200)
  expect((await edge.lead.post(`/drills/${next}/stop`)).status).toBe(200)
  await edge.until(next, 'aborted')
  expect((await edge.report(next)).run).toMatchObject({ ending: 'owner', overruled: ['wait-period'] })
}, 30_000)

it('of two that begin at once for one home, one does', async () => {
  await using edge = await threeLevels()
  const ids = [await edge.draft({ seconds: 30 }), await edge.draft({ seconds: 30 })]
  const started = await Promise.all(ids.map((id) => edge.lead.post(`/drills/${id}/start`)))
  expect(started.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(edge.gateway.gateway.snapshot().drills.length).toBeLessThanOrEqual(1)
  const [first = '', second = ''] = ids
  const states = [await edge.state(first), await edge.state(second)]
  expect(states.sort()).toEqual(['previewed', 'running'])
})

it('one that would leave nobody is refused with the numbers', async () => {
  await using edge = await threeLevels()
  await using residents = askAway(edge.gateway.url, 20)
  const id = await edge.draft({ scope: { homes: ['610100'], levels: ['local', 'neighbour', 'province'] } })
  await edge.approve(id)
  await eventually(async () => {
    const answer = await edge.lead.post(`/drills/${id}/start`, { reason: 'x', override: true })
    expect(answer).toMatchObject({ status: 409, text: expect.stringMatching(/nobody-left/) })
    expect(answer.body).toMatchObject({
      objections: expect.arrayContaining([
        expect.objectContaining({ name: 'nobody-left', home: '610100', found: 0, bound: 2 }),
      ]),
    })
  }, 15_000)
  await residents.stop()
}, 30_000)
