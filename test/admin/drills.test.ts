// Drills by the API: what can't be used is refused with words, whoever may not is turned away, all as documented.
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { drillPrefix, drillReportPrefix } from '../../gateway/control/drills/records.ts'
import { waitingAtMost } from '../../gateway/admin/routes/drill-steps.ts'
import { MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { reportOf } from '../../gateway/policy/drill-report.ts'
import { aDrill } from '../support/drills.ts'
import type { Api } from '../support/operators.ts'
import { openApi, threeCities, threeCitiesNodes } from '../support/operators.ts'
import { homeReads, reads } from '../support/readings.ts'

const plan = {
  name: 'Xi’an gone',
  reason: 'a test',
  scope: { homes: ['610100'], levels: ['local'] },
  fault: { kind: 'refuse' },
  cohort: 0.05,
  seconds: 60,
}
const made = z.looseObject({ id: z.string() })

async function draft(api: Api, changes: object = {}): Promise<string> {
  const answer = await api.post('/drills', { ...plan, ...changes })
  expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"state":"draft"')])
  return made.parse(answer.body).id
}

const step = (api: Api, path: string, body: object, token?: string) =>
  api.post(path, body, token).set('If-Match', '*')

it.each<{ what: string; changes: object; says: string }>([
  {
    what: 'an unknown fault',
    changes: { fault: { kind: 'meteor' } },
    says: 'fault.kind: an object whose kind is one of trip, blackhole, refuse, latency, errors, probe-fail, quota-cut, registry-loss; found "meteor"',
  },
  {
    what: 'a fault with what is not its own',
    changes: { fault: { kind: 'trip', ms: 5 } },
    says: 'fault.ms: there is no such field',
  },
  {
    what: 'errors that are none',
    changes: { fault: { kind: 'errors', share: 0, status: 404 } },
    says: 'fault.share: a share above 0, at most 1; found 0; body fault.status: an HTTP status, 500 to 599; found 404',
  },
  {
    what: 'a delay of nothing',
    changes: { fault: { kind: 'latency', ms: 0, jitterMs: -1 } },
    says: 'fault.ms: whole milliseconds, 1 to 60000; found 0; body fault.jitterMs: whole milliseconds, 0 to 60000; found -1',
  },
  {
    what: 'a negative duration',
    changes: { seconds: -5 },
    says: 'seconds: whole seconds, 1 to 3600; found -5',
  },
  { what: 'a week', changes: { seconds: 604_800 }, says: 'seconds: whole seconds, 1 to 3600; found 604800' },
  {
    what: 'nobody',
    changes: { cohort: 0 },
    says: 'cohort: a share of residents above 0, at most 1; found 0',
  },
  {
    what: 'more than everybody',
    changes: { cohort: 1.5 },
    says: 'cohort: a share of residents above 0, at most 1; found 1.5',
  },
  {
    what: 'a promise of less than no time',
    changes: { objectives: { detectMs: -1 } },
    says: 'objectives.detectMs: milliseconds, 0 to 3600000, or null for nothing promised; found -1',
  },
  {
    what: 'a stop condition above all',
    changes: { stop: { errorShare: 2 } },
    says: 'stop.errorShare: a share from 0 to 1; found 2',
  },
  {
    what: 'a scope of nothing',
    changes: { scope: { homes: ['610100'] } },
    says: 'scope: name the regions, nodes or levels that the fault is put upon; found none of them',
  },
  {
    what: 'no home',
    changes: { scope: { homes: [], levels: ['local'] } },
    says: 'scope.homes: name the home regions whose residents take part',
  },
  {
    what: 'a home twice',
    changes: { scope: { homes: ['610100', '610100'], levels: ['local'] } },
    says: 'scope.homes: name each home once',
  },
  {
    what: 'what is not there',
    changes: { scope: { homes: ['990000'], regions: ['980000'], nodes: ['moon-1'] } },
    says: 'scope.homes: there is no region 990000; list /regions; scope.regions: there is no region 980000; list /regions; scope.nodes: there is no node moon-1; list /nodes',
  },
  {
    what: 'a level that is none',
    changes: { scope: { homes: ['610100'], levels: ['moon'] } },
    says: 'scope.levels.0: one of local, neighbour, province, nation; found "moon"',
  },
  { what: 'no reason', changes: { reason: ' ' }, says: 'reason: say why, in a few words' },
  {
    what: 'overlapping windows',
    changes: {
      schedule: {
        kind: 'weekly',
        blocked: [],
        windows: [
          { weekday: 1, from: 60, to: 120 },
          { weekday: 1, from: 100, to: 180 },
        ],
      },
    },
    says: 'schedule.windows: windows must not overlap; of weekday 1, 60–120 and 100–180 do',
  },
  {
    what: 'a window that ends before it begins',
    changes: { schedule: { kind: 'weekly', blocked: [], windows: [{ weekday: 1, from: 120, to: 60 }] } },
    says: 'schedule.windows.0: `to` after `from`, on the same day',
  },
  {
    what: 'an eighth day, and a date that is none',
    changes: {
      schedule: { kind: 'weekly', blocked: ['2026-02-30'], windows: [{ weekday: 7, from: 0, to: 60 }] },
    },
    says: 'schedule.windows.0.weekday: 0 for Sunday to 6 for Saturday; found 7; body schedule.blocked.0: a date such as 2027-01-01; found "2026-02-30"',
  },
  {
    what: 'a time in words',
    changes: { schedule: { kind: 'once', at: '2026-12-01T02:00:00+08:00' } },
    says: 'schedule.at: whole milliseconds since 1970, before the year 2100; found another text',
  },
  {
    what: 'a time that is past',
    changes: { schedule: { kind: 'once', at: 1000 } },
    says: 'schedule.at: 1970-01-01T00:00:01.000Z is past',
  },
  {
    what: 'what could be somebody’s number, which is not repeated',
    changes: { seconds: 13_900_000_000 },
    says: 'seconds: whole seconds, 1 to 3600; found a larger number',
  },
])('$what is refused', async ({ changes, says }) => {
  await using api = await openApi()
  const answer = await api.post('/drills', { ...plan, ...changes })
  const { detail } = z.looseObject({ detail: z.string() }).parse(answer.body)
  expect([answer.status, detail]).toEqual([422, expect.stringContaining(says)])
  await api.asDocumented('post', '/drills', answer)
  expect(api.faults).toEqual([])
})

it('is drafted, previewed, approved by another, and refused where nothing measures it', async () => {
  await using api = await openApi()
  const id = await draft(api, { cohort: 0.5, objectives: { recoverMs: 100 } })
  const early = await step(api, `/drills/${id}/start`, { reason: 'now' })
  expect([early.status, early.text]).toEqual([409, expect.stringMatching(/does not follow .*draft.*preview/)])
  const previewed = await api.asDocumented(
    'post',
    '/drills/{id}/preview',
    await api.post(`/drills/${id}/preview`, {}),
  )
  expect(previewed.body).toMatchObject({
    needsApproval: true,
    radius: { homes: ['610100'], nodes: { 610100: ['xian-1', 'xian-2'] } },
    objections: [{ name: 'not-measured', isHard: true }],
    warnings: ['recovers-slower'],
    drill: { state: 'previewed' },
  })
  const wang = await api.token('approver', { name: 'Wang' })
  const approved = await step(api, `/drills/${id}/approve`, { reason: 'fine' }, wang)
  await api.asDocumented('post', '/drills/{id}/approve', approved)
  expect(approved.body).toMatchObject({ state: 'approved', approver: 'Wang' })
  const started = await step(api, `/drills/${id}/start`, { reason: 'now', override: true })
  await api.asDocumented('post', '/drills/{id}/start', started)
  expect([started.status, started.text]).toEqual([
    409,
    expect.stringMatching(/not-measured; nobody may overrule/),
  ])
  const stopped = await api.post(`/drills/${id}/stop`, { reason: 'not today' })
  expect(stopped.body).toMatchObject({ state: 'aborted' })
  const list = await api.asDocumented('get', '/drills', await api.get('/drills?state=aborted&home=610100'))
  expect(list.body).toMatchObject({ items: [{ id, state: 'aborted' }] })
  const report = await api.asDocumented('get', '/drills/{id}/report', await api.get(`/drills/${id}/report`))
  expect([report.status, report.text]).toEqual([404, expect.stringContaining('has no report')])
  expect(api.faults).toEqual([])
})

it.each(['approve', 'refuse', 'schedule', 'start'])('%s takes the version that was seen', async (name) => {
  await using api = await openApi()
  const id = await draft(api)
  const seen = await api.post(`/drills/${id}/preview`, {})
  const path = `/drills/${id}/${name}`
  const blind = await api.post(path, { reason: 'x' })
  const stale = await api.post(path, { reason: 'x' }).set('If-Match', '"1"')
  expect([seen.headers.etag, blind.status, stale.status]).toEqual(['"2"', 428, 412])
  await api.asDocumented('post', `/drills/{id}/${name}`, blind)
  await api.asDocumented('post', `/drills/{id}/${name}`, stale)
  expect((await api.get(`/drills/${id}`)).body).toMatchObject({ state: 'previewed', version: 2 })
})

it('whose scope reaches none of its home’s levels is told so at its preview', async () => {
  await using api = await openApi()
  const id = await draft(api, { scope: { homes: ['610100'], levels: ['nation'] } })
  const seen = await api.post(`/drills/${id}/preview`, {})
  expect(seen.body).toMatchObject({
    objections: expect.arrayContaining([
      expect.objectContaining({ name: 'nothing-in-scope', home: '610100', isHard: true }),
    ]),
  })
})

it.each([
  {
    fault: { kind: 'probe-fail' },
    objectives: { detectMs: 1, recoverMs: 1 },
    warnings: ['recovers-slower', 'detects-slower'],
  },
  {
    fault: { kind: 'latency', ms: 50, jitterMs: 0 },
    objectives: { detectMs: 60_000 },
    warnings: ['never-found'],
  },
  { fault: { kind: 'refuse' }, objectives: { detectMs: 60_000 }, warnings: [] },
])(
  'of $fault.kind, objectives that can’t be met are warned of: $warnings',
  async ({ warnings, ...plan_ }) => {
    await using api = await openApi()
    const id = await draft(api, plan_)
    const seen = await api.post(`/drills/${id}/preview`, {})
    expect(seen.body).toMatchObject({ drill: { state: 'previewed' } })
    const found = z.object({ warnings: z.array(z.string()) }).parse(seen.body).warnings
    // Beside them stands what the forecast rests on.
    expect(found.filter((name) => !name.startsWith('foreseen-'))).toEqual(warnings)
  },
)

it.each([
  { query: '', type: 'application/json; charset=utf-8', says: /"verdict":"passed"/ },
  { query: '?format=markdown&lang=en', type: 'text/markdown; charset=utf-8', says: /^# Drill report/ },
  { query: '?format=html', type: 'text/html; charset=utf-8', says: /<html lang="zh-CN">/ },
])('its report is answered as documented as $type', async ({ query, type, says }) => {
  await using api = await openApi()
  const run = { startedAt: 1000, faultAt: 2000, endsAt: 9000, endedAt: 9000, overruled: [], detail: '' }
  const drill = aDrill({ state: 'reported', run: { ...run, ending: 'time' } })
  const measures = new MeasuresInTheMaking(1000)
  measures.cohort.ended('local 610100', 'ok', 5, 3000, true)
  const report = reportOf(drill, { ...run, ending: 'time' }, measures.read(9000), [])
  await api.registry.commit([
    { key: `${drillPrefix}d1`, value: drill, expectedVersion: 0 },
    { key: `${drillReportPrefix}d1`, value: report, expectedVersion: 0 },
  ])
  const answer = await api.get(`/drills/d1/report${query}`)
  expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
    200,
    type,
    expect.stringMatching(says),
  ])
  await api.asDocumented('get', '/drills/{id}/report', answer)
})

it('a report in no known form or language is refused with what there is', async () => {
  await using api = await openApi()
  const answer = await api.get('/drills/d1/report?format=pdf&lang=de')
  expect(answer.status).toBe(422)
  expect(answer.text).toMatch(/format.*json.*markdown.*html/)
  expect(answer.text).toMatch(/lang.*zh.*en/)
})

it('is scheduled only with a schedule, and begins at its next window', async () => {
  await using api = await openApi()
  const id = await draft(api)
  await api.post(`/drills/${id}/preview`, {})
  const none = await step(api, `/drills/${id}/schedule`, { reason: 'x' })
  expect([none.status, none.text]).toEqual([409, expect.stringContaining('it has no schedule')])
  const every = Array.from({ length: 7 }, (_, weekday) => ({ weekday, from: 0, to: 1440 }))
  const weekly = await draft(api, { schedule: { kind: 'weekly', blocked: [], windows: every } })
  await api.post(`/drills/${weekly}/preview`, {})
  const scheduled = await step(api, `/drills/${weekly}/schedule`, { reason: 'x' })
  await api.asDocumented('post', '/drills/{id}/schedule', scheduled)
  expect(scheduled.body).toMatchObject({ state: 'scheduled', nextAt: expect.any(String) })
})

it.each([
  { who: 'viewer', scope: '*' as const, status: 403 },
  { who: 'operator', scope: '*' as const, status: 403 },
  { who: 'drill-lead', scope: ['620000'], status: 403 },
  { who: 'drill-lead', scope: ['610000'], status: 201 },
] as const)('a $who of $scope gets $status', async ({ who, scope, status }) => {
  await using api = await openApi()
  const token = await api.token(who, { scope: scope === '*' ? scope : [...scope] })
  expect((await api.post('/drills', plan, token)).status).toBe(status)
})

it('five hundred that have not begun are enough: one is given up before the next is drafted', async () => {
  await using api = await openApi()
  const many = Array.from({ length: waitingAtMost }, (_, i) => aDrill({ id: `d${i}` }))
  await api.registry.commit(many.map((value) => ({ key: drillPrefix + value.id, value, expectedVersion: 0 })))
  const full = await api.asDocumented('post', '/drills', await api.post('/drills', plan))
  expect([full.status, full.text]).toEqual([409, expect.stringContaining('give some up')])
  expect((await api.post('/drills/d1/stop', { reason: 'x' })).body).toMatchObject({ state: 'aborted' })
  expect((await api.post('/drills', plan)).status).toBe(201)
})

it.each(['restoring', 'reported'] as const)('one that is %s has ended already', async (state) => {
  await using api = await openApi()
  const run = { startedAt: 1000, faultAt: 2000, endsAt: 9000, endedAt: 9000, overruled: [], detail: '' }
  const value = aDrill({ state, run: { ...run, ending: 'time' } })
  await api.registry.commit([{ key: `${drillPrefix}d1`, value, expectedVersion: 0 }])
  const stopped = await api.asDocumented(
    'post',
    '/drills/{id}/stop',
    await api.post('/drills/d1/stop', { reason: 'x' }),
  )
  expect([stopped.status, stopped.text]).toEqual([409, expect.stringContaining('it has ended already')])
})

it('who has to approve and what guards ask for stand in the configuration', async () => {
  const drills = {
    approvalAbove: { homes: 2, cohort: 0.6, trafficShare: 1 },
    waitMs: 0,
    minLevels: 1,
    minRoomShare: 0,
  }
  const busy = reads(threeCitiesNodes, [homeReads('610100', 100)])
  for (const [changes, needsApproval, names] of [
    [{ drills }, false, ['not-measured']],
    [{}, true, ['not-measured', 'levels-left']],
  ] as const) {
    await using api = await openApi(threeCities, undefined, busy, undefined, undefined, changes)
    const id = await draft(api, { cohort: 0.5 })
    const seen = await api.post(`/drills/${id}/preview`, {})
    const { objections } = z
      .looseObject({ objections: z.array(z.looseObject({ name: z.string() })) })
      .parse(seen.body)
    expect([objections.map(({ name }) => name), seen.body]).toEqual([
      names,
      expect.objectContaining({ needsApproval }),
    ])
  }
})

it('a lost registry is everybody’s: it takes a scope of all regions', async () => {
  await using api = await openApi()
  const lost = { fault: { kind: 'registry-loss' }, scope: { homes: ['610100'] } }
  const local = await api.token('drill-lead', { name: 'Zhao', scope: ['610000'] })
  const drafted = await api.post('/drills', { ...plan, ...lost }, local)
  expect([drafted.status, drafted.text]).toEqual([403, expect.stringContaining('a scope of *')])
  const id = await draft(api, lost)
  await api.post(`/drills/${id}/preview`, {})
  const neighbour = await api.token('approver', { name: 'Wang', scope: ['610000'] })
  expect((await step(api, `/drills/${id}/approve`, { reason: 'x' }, neighbour)).status).toBe(403)
  expect((await step(api, `/drills/${id}/start`, { reason: 'x' }, local)).status).toBe(403)
  // Whose residents meet it may always end it.
  expect((await step(api, `/drills/${id}/stop`, { reason: 'x' }, local)).status).toBe(200)
})

it('the lever is pulled by any drill lead, once, and released by who answers for all', async () => {
  await using api = await openApi()
  const local = await api.token('drill-lead', { name: 'Zhao', scope: ['620000'] })
  const pulled = await api.asDocumented(
    'post',
    '/drill-lever',
    await api.post('/drill-lever', { reason: 'no' }, local),
  )
  expect(pulled.body).toMatchObject({ isSet: true, owner: 'Zhao', reason: 'no', version: 1 })
  expect((await api.post('/drill-lever', { reason: 'again' })).body).toMatchObject({
    owner: 'Zhao',
    version: 1,
  })
  const id = await draft(api)
  await api.directory.read()
  const seen = await api.post(`/drills/${id}/preview`, {})
  expect(seen.body).toMatchObject({
    objections: expect.arrayContaining([expect.objectContaining({ name: 'lever' })]),
  })
  expect((await api.delete('/drill-lever?reason=calm', '*', local)).status).toBe(403)
  expect((await api.delete('/drill-lever?reason=calm', 1)).status).toBe(204)
  expect((await api.asDocumented('get', '/drill-lever', await api.get('/drill-lever'))).body).toMatchObject({
    isSet: false,
  })
})
