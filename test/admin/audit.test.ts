// /audit and what gets into it: every refused change, by whom and from where; read page by page, verified, exported.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { auditKey } from '../../gateway/control/audit/audit-log.ts'
import { auditRecordSchema } from '../../gateway/control/audit/chain.ts'
import { type Api, Document, openApi } from '../support/operators.ts'
import { listOperations, pathFor } from '../support/operation-requests.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

const page = z.object({ items: z.array(auditRecordSchema), next: z.number().nullable() })
const recordsOf = async (path = '/audit?limit=500') =>
  page.parse((await api.get(path).expect(200)).body).items
const last = async () => (await recordsOf()).at(-1)

const call = (method: string, path: string, token: string) => {
  if (method === 'post') return api.post(path, {}, token)
  if (method === 'put') return api.put(path, {}, '*', token)
  if (method === 'patch') return api.patch(path, {}, '*', token)
  return method === 'delete' ? api.delete(path, '*', token) : api.get(path, token)
}

it('keeps every change that a role or a field stands against', async () => {
  const operations = listOperations(await new Document(api.app).load()).filter(
    ({ action }) => action !== null,
  )
  expect(operations.length).toBeGreaterThan(5)
  const viewer = await api.token('viewer', { name: 'a viewer' })
  for (const { method, path, action, allowed, parameters, body } of operations) {
    const target = pathFor(path).slice(1)
    if (!allowed.includes('viewer')) {
      await call(method, pathFor(path), viewer).expect(403)
      expect(await last()).toMatchObject({
        actor: { name: 'a viewer' },
        from: '127.0.0.1',
        action,
        target,
        outcome: 'refused',
        detail: expect.stringMatching(/^forbidden: /),
      })
    }
    // A session takes nothing, so nothing of it can be wrong.
    if (body === null && !parameters.some(({ in: place }) => place === 'query')) continue
    const { status } = await call(method, pathFor(path), api.admin)
    expect([404, 409, 422, 428]).toContain(status)
    expect(await last()).toMatchObject({ actor: { name: 'first admin' }, action, target, outcome: 'refused' })
  }
})

it('keeps a credential that was not good, without it; not a crawler without any; not a read that was refused', async () => {
  const before = (await recordsOf()).length
  await api.get('/me').unset('Authorization').expect(401)
  await api.get('/tokens', await api.token('viewer')).expect(403)
  expect((await recordsOf()).length).toBe(before + 1)
  await api.get('/me', 'chiyuan_zzzzzzzz_' + 'A'.repeat(43)).expect(401)
  expect(await last()).toMatchObject({
    actor: null,
    from: '127.0.0.1',
    action: 'read',
    target: 'me',
    outcome: 'refused',
  })
})

it('is not filled by a stranger', async () => {
  await using open = await openApi()
  // Each name has attempts of its own; the log has not.
  for (const name of ['a', 'b', 'c']) {
    const wrong = `${(await open.token('viewer', { name })).slice(0, -43)}${'B'.repeat(43)}`
    for (let i = 0; i < 10; i++) await open.get('/me', wrong).expect(401)
  }
  const { body } = await open.get('/audit').expect(200)
  expect(page.parse(body).items.filter(({ actor }) => actor === null)).toHaveLength(10)
})

it('is read in pages that join without a gap', async () => {
  const all = await recordsOf()
  const joined: unknown[] = []
  for (let after: number | null = 0; after !== null;) {
    const answer = await api.asDocumented(
      'get',
      '/audit',
      await api.get(`/audit?limit=3&after=${after}`).expect(200),
    )
    const { items, next } = page.parse(answer.body)
    joined.push(...items)
    after = next
  }
  expect(joined).toEqual(all)
})

it('is exported whole, one record a line', async () => {
  const answer = await api.get('/audit/export').buffer(true).parse(asText).expect(200)
  expect(answer.headers['content-type']).toBe('application/jsonl; charset=utf-8')
  const lines = String(answer.body).trimEnd().split('\n')
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(await recordsOf())
})

const asText: Parameters<ReturnType<Api['get']>['parse']>[0] = (response, done) => {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (part: string) => (text += part))
  response.on('end', () => done(null, text))
}

it('says whether it is whole, with an anchor to keep elsewhere', async () => {
  await using open = await openApi()
  await open.token('viewer')
  const path = '/audit/verification'
  const good = await open.asDocumented('get', path, await open.get(path).expect(200))
  expect(good.body).toMatchObject({ whole: true, records: 2, fault: null })
  const { anchor } = good.body
  await open.get(`${path}?anchor=${anchor}`).expect(200)
  await open.get(`${path}?anchor=x`).expect(422)
  const second = await open.registry.read(auditKey(2))
  const edited = { ...Object(second?.value), reason: 'another' }
  await open.registry.commit([{ key: auditKey(2), value: edited, expectedVersion: second?.version ?? 0 }])
  const bad = await open.asDocumented('get', path, await open.get(path).expect(200))
  expect(bad.body).toMatchObject({ whole: false, fault: { place: 2, problem: 'edited' } })
})
