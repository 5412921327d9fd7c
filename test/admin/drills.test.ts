// Drills by the API: what can't be used is refused with words, whoever may not is turned away, all as documented.
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import type { Api } from '../support/operators.ts'
import { openApi } from '../support/operators.ts'

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

it.each<{ what: string; changes: object; says: RegExp }>([
  { what: 'an unknown fault', changes: { fault: { kind: 'meteor' } }, says: /fault/ },
  {
    what: 'a fault with what is not its own',
    changes: { fault: { kind: 'trip', ms: 5 } },
    says: /no such field/,
  },
  {
    what: 'errors that are none',
    changes: { fault: { kind: 'errors', share: 1, status: 404 } },
    says: /status/,
  },
  { what: 'a negative duration', changes: { seconds: -5 }, says: /at least one second/ },
  { what: 'a week', changes: { seconds: 604_800 }, says: /seconds/ },
  { what: 'nobody', changes: { cohort: 0 }, says: /above 0 to 1/ },
  { what: 'more than everybody', changes: { cohort: 1.5 }, says: /cohort/ },
  {
    what: 'a scope of nothing',
    changes: { scope: { homes: ['610100'] } },
    says: /name the regions, nodes or levels/,
  },
  { what: 'no home', changes: { scope: { homes: [], levels: ['local'] } }, says: /name the home regions/ },
  {
    what: 'a home twice',
    changes: { scope: { homes: ['610100', '610100'], levels: ['local'] } },
    says: /once/,
  },
  {
    what: 'a home that is not there',
    changes: { scope: { homes: ['990000'], levels: ['local'] } },
    says: /no region 990000/,
  },
  { what: 'no reason', changes: { reason: ' ' }, says: /say why/ },
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
    says: /windows must not overlap/,
  },
  {
    what: 'a window that ends before it begins',
    changes: { schedule: { kind: 'weekly', blocked: [], windows: [{ weekday: 1, from: 120, to: 60 }] } },
    says: /ends after it begins/,
  },
  {
    what: 'a date that is none',
    changes: {
      schedule: { kind: 'weekly', blocked: ['2026-02-30'], windows: [{ weekday: 1, from: 0, to: 60 }] },
    },
    says: /blocked/,
  },
])('$what is refused', async ({ changes, says }) => {
  await using api = await openApi()
  const answer = await api.post('/drills', { ...plan, ...changes })
  expect([answer.status, answer.text]).toEqual([422, expect.stringMatching(says)])
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
