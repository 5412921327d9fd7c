// /api/v1/holds: put, seen, given another end, ended; by whom, where, and with which version in hand.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Api, openApi } from '../support/operators.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

const trip = { kind: 'trip', node: 'xian-1', reason: 'disk failing', seconds: 600 }

it('is put, takes effect, is seen, given another end, and ended', async () => {
  const made = await api.asDocumented('post', '/holds', await api.post('/holds', trip).expect(201))
  expect(made.body).toMatchObject({ kind: 'trip', node: 'xian-1', owner: 'first admin', version: 1 })
  expect([made.headers['etag'], made.headers['location']]).toEqual(['"1"', `/api/v1/holds/${made.body.id}`])
  await api.directory.read()
  expect([...api.directory.current.holds]).toMatchObject([['xian-1', { kind: 'trip' }]])
  const path = `/holds/${made.body.id}`
  const shown = await api.asDocumented('get', '/holds/{id}', await api.get(path).expect(200))
  expect(shown.body).toEqual(made.body)
  const later = await api.patch(path, { reason: 'still failing', seconds: 3600 }, 1).expect(200)
  await api.asDocumented('patch', '/holds/{id}', later)
  expect(Date.parse(later.body.expiresAt)).toBeGreaterThan(Date.parse(made.body.expiresAt))
  const list = await api.asDocumented('get', '/holds', await api.get('/holds?node=xian-1').expect(200))
  expect(list.body).toEqual({ items: [later.body], next: null })
  await api.delete(`${path}?reason=replaced`, 1).expect(412)
  const ended = await api.delete(`${path}?reason=replaced`, 2).expect(204)
  await api.asDocumented('delete', '/holds/{id}', ended)
  await api.get(path).expect(404)
  await api.directory.read()
  expect(api.directory.current.holds.size).toBe(0)
})

describe('is refused', () => {
  it.each([
    ['no kind', { ...trip, kind: undefined }, 'kind'],
    ['a kind of its own', { ...trip, kind: 'stop' }, 'kind'],
    ['neither node nor region', { ...trip, node: undefined }, ''],
    ['both', { ...trip, region: '610100' }, ''],
    ['a node that is not there', { ...trip, node: 'xian-9' }, 'node'],
    ['a region that is not there', { ...trip, node: undefined, region: '999999' }, 'region'],
    ['no reason', { ...trip, reason: '  ' }, 'reason'],
    ['a lease without end', { ...trip, seconds: 1e9 }, 'seconds'],
    ['a field that there is not', { ...trip, force: true }, 'force'],
  ])('with %s', async (_, body, field) => {
    const answer = await api.asDocumented('post', '/holds', await api.post('/holds', body).expect(422))
    expect(answer.body.errors.map((fault: { field: string }) => fault.field)).toContain(field)
  })

  it('without If-Match, and with one that is stale', async () => {
    const { body } = await api.post('/holds', trip).expect(201)
    const bare = await api.get(`/holds/${body.id}`).expect(200)
    expect(bare.headers['etag']).toBe('"1"')
    const path = `/holds/${body.id}?reason=over`
    const unmatched = await api.delete(path, '*').unset('If-Match').expect(428)
    await api.asDocumented('delete', '/holds/{id}', unmatched)
    for (const tag of ['"7"', 'W/"1"', '1', '"x"']) await api.delete(path, 1).set('If-Match', tag).expect(412)
    await api.delete(path, '*').expect(204)
  })

  it('to whoever may not', async () => {
    await api.post('/holds', trip, 'chiyuan_aaaaaaaa_' + 'A'.repeat(43)).expect(401)
    const viewer = await api.token('viewer')
    const answer = await api.post('/holds', trip, viewer).expect(403)
    await api.asDocumented('post', '/holds', answer)
    expect(answer.body.detail).toContain('operator, admin')
  })

  it('in a region outside the scope, and allowed inside', async () => {
    const shaanxi = await api.token('operator', { scope: ['610000'] })
    const gansu = await api.token('operator', { scope: ['620100'] })
    const { body } = await api.post('/holds', trip, shaanxi).expect(201)
    const refused = await api.post('/holds', trip, gansu).expect(403)
    expect(refused.body.detail).toContain('region 610100 is outside your scope, which is 620100')
    await api.patch(`/holds/${body.id}`, { reason: 'x', seconds: 5 }, 1, gansu).expect(403)
    await api.delete(`/holds/${body.id}?reason=x`, 1, gansu).expect(403)
    await api.delete(`/holds/${body.id}?reason=x`, 1, shaanxi).expect(204)
  })
})

it('two put on one node are kept apart', async () => {
  const trip1 = await api.post('/holds', trip).expect(201)
  const drain = await api
    .post('/holds', { ...trip, kind: 'drain', node: undefined, region: '610100', override: true })
    .expect(201)
  await api.delete(`/holds/${trip1.body.id}?reason=over`, 1).expect(204)
  await api.directory.read()
  expect([...api.directory.current.holds].map(([id, { kind }]) => [id, kind])).toEqual([
    ['xian-1', 'drain'],
    ['xian-2', 'drain'],
  ])
  await api.delete(`/holds/${drain.body.id}?reason=over`, 1).expect(204)
})

it('of two who race for one version, one wins', async () => {
  const { body } = await api.post('/holds', trip).expect(201)
  const path = `/holds/${body.id}`
  const answers = await Promise.all(
    [10, 20, 30, 40].map((seconds) => api.patch(path, { reason: 'race', seconds }, 1)),
  )
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412])
  await api.delete(`${path}?reason=over`, '*').expect(204)
})

describe('Idempotency-Key', () => {
  it('answers a repeat as the first, and changes nothing', async () => {
    const send = () => api.post('/holds', trip).set('Idempotency-Key', 'k-1')
    const answers = await Promise.all([send(), send(), send()])
    const again = await send().expect(201)
    expect(new Set([...answers, again].map(({ body }) => body.id)).size).toBe(1)
    expect(again.headers['idempotency-replayed']).toBe('true')
    const { body } = await api.get('/holds?node=xian-1').expect(200)
    expect(body.items).toHaveLength(1)
    await api.delete(`/holds/${again.body.id}?reason=over`, 1).expect(204)
  })

  it('is refused with another request, and is one operator’s own', async () => {
    const operator = await api.token('operator')
    const first = await api.post('/holds', trip).set('Idempotency-Key', 'k-2').expect(201)
    const other = await api
      .post('/holds', { ...trip, seconds: 5 })
      .set('Idempotency-Key', 'k-2')
      .expect(422)
    expect(other.body.type).toBe('urn:chiyuan:problem:key-reused')
    const theirs = await api.post('/holds', trip, operator).set('Idempotency-Key', 'k-2').expect(201)
    expect(theirs.body.id).not.toBe(first.body.id)
    await api.post('/holds', trip).set('Idempotency-Key', 'ü'.repeat(3)).expect(400)
  })
})
