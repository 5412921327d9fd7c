// /regions, /nodes, /explain, /preview: what is, why, and what would be; and the guards that holds must pass.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Api, openApi, threeCities, threeCitiesNodes } from '../support/operators.ts'
import { homeReads, reads } from '../support/readings.ts'

let api: Api
beforeAll(async () => {
  // 300 requests a second: more than Xianyang's one node could take beside nobody.
  api = await openApi(threeCities, undefined, reads(threeCitiesNodes, [homeReads('610100', 150)]))
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

const get = async (path: string, documented: string) =>
  (await api.asDocumented('get', documented, await api.get(path).expect(200))).body

it('lists regions, page by page, and shows one', async () => {
  const first = await get('/regions?limit=2', '/regions')
  expect(first.items.map(({ code }: { code: string }) => code)).toEqual(['610100', '610400'])
  const second = await get(`/regions?limit=2&after=${first.next}`, '/regions')
  expect([second.items.length, second.next]).toEqual([1, null])
  expect(await get('/regions/610100', '/regions/{code}')).toMatchObject({
    neighbours: ['610400'],
    nodes: ['xian-1', 'xian-2'],
    lends: { limitRps: null },
  })
  await api.asDocumented('get', '/regions/{code}', await api.get('/regions/999999').expect(404))
  await api.asDocumented('get', '/regions', await api.get('/regions?limit=0').expect(422))
})

it('lists nodes with what is measured, and why each serves or not', async () => {
  const { body: hold } = await api
    .post('/holds', { kind: 'drain', node: 'lanzhou-1', reason: 'x', seconds: 60, override: true })
    .expect(201)
  await api.directory.read()
  const { items } = await get('/nodes?region=620100', '/nodes')
  expect(items).toMatchObject([
    { id: 'lanzhou-1', hold: { kind: 'drain', ids: [hold.id] }, measured: { limit: 10 } },
  ])
  expect(await get('/nodes/xian-1', '/nodes/{id}')).toMatchObject({
    serving: { verdict: 'ok', words: { zh: '可用' } },
    hold: null,
  })
  await api.get('/nodes/nobody').expect(404)
  await api.delete(`/holds/${hold.id}?reason=x`, '*').expect(204)
  await api.directory.read()
})

it('explains where a request would go', async () => {
  const told = await get('/explain?home=610100&path=/v1/codes/x', '/explain')
  expect(told.explanation.plan[0]).toMatchObject({ level: 'local', verdict: 'ok' })
  expect(told.explanation.plan.at(-1)).toMatchObject({ level: 'neighbour', node: 'xianyang-1' })
  expect(told.words.verdicts.full.zh).toBe('并发已满')
  await api.asDocumented('get', '/explain', await api.get('/explain?home=999999').expect(422))
  await api.asDocumented('get', '/explain', await api.get('/explain').expect(422))
})

describe('a preview', () => {
  const ask = (changes: unknown[]) => api.post('/preview', { changes })

  it('says who would take what, and changes nothing', async () => {
    const answer = await ask([{ hold: { kind: 'trip', scope: { region: '610100' } } }]).expect(200)
    await api.asDocumented('post', '/preview', answer)
    expect(answer.body.after.homes).toMatchObject([
      { home: '610100', byLevel: [{ level: 'neighbour', region: '610400', rps: 150 }], shedRps: 0 },
    ])
    expect(answer.body.guards.map(({ guard }: { guard: string }) => guard)).toContain('levels-left')
    expect((await get('/holds', '/holds')).items).toEqual([])
  })

  it('of nothing is what is; of what is not there is refused', async () => {
    await api.asDocumented('post', '/preview', await ask([]).expect(200))
    for (const change of [
      { hold: { kind: 'trip', scope: { node: 'nobody' } } },
      { hold: { kind: 'trip', scope: { region: '999999' } } },
      { endHold: 'nobody' },
      { removeNode: 'nobody' },
      { enrolment: 'nobody', step: 'activate' },
      { mode: 'war' },
    ]) {
      await api.asDocumented('post', '/preview', await ask([change]).expect(422))
    }
  })
})

describe('guards', () => {
  const trip = (scope: object, more: object = {}) => ({
    kind: 'trip',
    ...scope,
    reason: 'x',
    seconds: 60,
    ...more,
  })

  it('object to a hold, with the numbers, until somebody says that it shall be', async () => {
    const operator = await api.token('operator')
    const refused = await api.post('/holds', trip({ region: '610100' }), operator).expect(409)
    await api.asDocumented('post', '/holds', refused)
    expect(refused.body).toMatchObject({ type: 'urn:chiyuan:problem:guarded' })
    expect(refused.body.guards[0]).toMatchObject({ guard: 'levels-left', home: '610100', found: 1, bound: 2 })
    const { body } = await api
      .post('/holds', trip({ region: '610100' }, { override: true }), operator)
      .expect(201)
    await api.delete(`/holds/${body.id}?reason=x`, '*').expect(204)
  })

  it('an operator can’t leave residents with nobody; an admin can', async () => {
    const operator = await api.token('operator')
    const { body: first } = await api
      .post('/holds', trip({ region: '610400' }, { override: true }))
      .expect(201)
    await api.directory.read()
    const both = trip({ region: '610100' }, { override: true })
    const refused = await api.post('/holds', both, operator).expect(409)
    expect(refused.body.detail).toContain('an admin may')
    const { body: second } = await api.post('/holds', both).expect(201)
    for (const { id } of [first, second]) await api.delete(`/holds/${id}?reason=x`, '*').expect(204)
  })
})
