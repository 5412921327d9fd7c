// /api/v1/enrolments: who may take which step, with which version in hand, and every answer as the document says.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { enrolmentPrefix, enrolmentSchema, hashOfTerms } from '../../gateway/control/intent/enrolments.ts'
import { readTyped } from '../../gateway/control/registry/typed.ts'
import { putEnrolment, stepped } from '../support/enrolments.ts'
import { type Api, openApi } from '../support/operators.ts'

let api: Api
let li: string
let wang: string
beforeAll(async () => {
  api = await openApi()
  li = await api.token('operator', { name: 'Li Wei', scope: ['610000'] })
  wang = await api.token('approver', { name: 'Wang Fang', scope: ['610000'] })
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

let number = 0
/** Terms of a donor that nobody else has. */
function terms(changes: object = {}) {
  number += 1
  const code = `61${10 + number}00`
  return {
    donor: { code, name: { zh: code, en: code }, tier: 'city' },
    homes: ['610100'],
    nodes: [{ id: `donor-${number}`, url: `http://127.0.0.1:${20_000 + number}` }],
    limit: { rps: 200 },
    data: { fields: [] },
    contact: { office: 'data office', phone: '029 0000 0000', email: 'office@donor.example' },
    validFrom: new Date(Date.now() - 60_000).toISOString(),
    validUntil: new Date(Date.now() + 40 * 86_400_000).toISOString(),
    ...changes,
  }
}

const draft = async (changes: object = {}): Promise<string> => {
  const answer = await api.post('/enrolments', { terms: terms(changes), reason: 'a test' }, li).expect(201)
  await api.asDocumented('post', '/enrolments', answer)
  return answer.body.id
}

const step = async (id: string, name: string, token: string, status = 200, version: number | '*' = '*') => {
  const answer = await api
    .post(`/enrolments/${id}/${name}`, { reason: 'a test' }, token)
    .set('If-Match', version === '*' ? '*' : `"${version}"`)
    .expect(status)
  return (await api.asDocumented('post', `/enrolments/{id}/${name}`, answer)).body
}

/** What a verification that passed leaves behind. */
async function verified(id: string): Promise<void> {
  const record = await readTyped(api.registry, enrolmentPrefix + id, enrolmentSchema)
  if (record === null) throw new Error('no such enrolment')
  const verification = {
    passed: true,
    termsHash: hashOfTerms(record.value.terms),
    at: Date.now(),
    reasons: [],
  }
  await putEnrolment(
    api.registry,
    stepped(record.value, { kind: 'verify', verification }, { hashOf: hashOfTerms }),
  )
}

it('comes from a draft to serving and away again', async () => {
  const id = await draft()
  expect((await api.get(`/enrolments/${id}`).expect(200)).body).toMatchObject({
    state: 'draft',
    possible: ['edit', 'submit', 'withdraw'],
    terms: { limit: { rps: 200, concurrent: null }, reserve: 0, hours: null },
  })
  expect(await step(id, 'submit', li)).toMatchObject({ state: 'submitted', version: 2 })
  expect(await step(id, 'return', li)).toMatchObject({ state: 'draft', submittedBy: null })
  await step(id, 'submit', li)
  await verified(id)
  expect(await step(id, 'approve', wang)).toMatchObject({
    state: 'approved',
    approval: { by: { name: 'Wang Fang' } },
  })
  expect(await step(id, 'activate', li)).toMatchObject({ state: 'active' })
  await api.directory.read()
  expect([...api.directory.current.nodes.keys()]).toContain('donor-1')
  expect(await step(id, 'suspend', li)).toMatchObject({ state: 'suspended' })
  expect(await step(id, 'resume', li)).toMatchObject({ state: 'active' })
  expect(await step(id, 'withdraw', li)).toMatchObject({ state: 'withdrawn', possible: [] })
  const refused = await step(id, 'resume', li, 409)
  expect(refused).toMatchObject({
    code: 'illegal-step',
    legal: [],
    message: { zh: expect.stringContaining('withdrawn') },
  })
  const list = await api.get('/enrolments?state=withdrawn').expect(200)
  await api.asDocumented('get', '/enrolments', list)
  expect(list.body.items.map((one: { id: string }) => one.id)).toEqual([id])
})

it('is edited before it is approved, and is a draft again then', async () => {
  const id = await draft()
  await step(id, 'submit', li)
  const { body } = await api.get(`/enrolments/${id}`).expect(200)
  const better = { ...body.terms, limit: { rps: 300, concurrent: 10 } }
  const edited = await api
    .put(`/enrolments/${id}`, { terms: better, reason: 'more' }, body.version, li)
    .expect(200)
  await api.asDocumented('put', '/enrolments/{id}', edited)
  expect(edited.body).toMatchObject({ state: 'draft', terms: { limit: { rps: 300 } }, submittedBy: null })
  await api.put(`/enrolments/${id}`, { terms: better, reason: 'again' }, body.version, li).expect(412)
})

describe('is refused', () => {
  it.each([
    ['no homes', { homes: [] }, 'terms.homes'],
    ['a home twice', { homes: ['610100', '610100'] }, 'terms.homes'],
    ['an end before its beginning', { validUntil: '2020-01-01T00:00:00Z' }, 'terms.validUntil'],
    ['a time without a zone', { validFrom: '2026-01-01T00:00:00' }, 'terms.validFrom'],
    ['no limit', { limit: { rps: 0 } }, 'terms.limit.rps'],
    ['an address that is none', { nodes: [{ id: 'a', url: 'ftp://a' }] }, 'terms.nodes.0.url'],
    ['a password in an address', { nodes: [{ id: 'a', url: 'http://u:p@a' }] }, 'terms.nodes.0.url'],
    ['a field that there is not', { colour: 'red' }, 'terms.colour'],
  ])('with %s', async (_, changes, field) => {
    const answer = await api.post('/enrolments', { terms: terms(changes), reason: 'a test' }, li).expect(422)
    await api.asDocumented('post', '/enrolments', answer)
    expect(answer.body.errors.map((fault: { field: string }) => fault.field)).toContain(field)
  })

  it('to whoever may not, or not there', async () => {
    const gansu = await api.token('operator', { name: 'Ma', scope: ['620000'] })
    const otherApprover = await api.token('approver', { name: 'Ma', scope: ['620000'] })
    await api.post('/enrolments', { terms: terms(), reason: 'a test' }, gansu).expect(403)
    await api.post('/enrolments', { terms: terms(), reason: 'a test' }, wang).expect(403)
    const id = await draft()
    await step(id, 'submit', gansu, 403)
    await step(id, 'submit', li)
    await verified(id)
    // An approver answers for the homes.
    await step(id, 'approve', otherApprover, 403)
    await step(id, 'approve', li, 403)
    // The same person with another token is the same person.
    const liAgain = await api.token('approver', { name: 'Li Wei' })
    expect(await step(id, 'approve', liAgain, 409)).toMatchObject({ code: 'same-person' })
  })

  it('out of turn, with what is possible', async () => {
    const id = await draft()
    const refused = await step(id, 'activate', li, 409)
    expect(refused.detail).toContain('possible now: edit, submit, withdraw')
    await step(id, 'submit', li, 412, 7)
    await api.post(`/enrolments/${id}/submit`, { reason: 'x' }, li).expect(428)
    await step('nobody', 'submit', li, 404)
  })

  it('with a node or an address that another has', async () => {
    const id = await draft({ nodes: [{ id: 'xian-1', url: 'http://127.0.0.1:20999' }] })
    expect(await step(id, 'submit', li, 409)).toMatchObject({ code: 'conflict' })
  })
})

describe('a verification', () => {
  it('takes a submitted enrolment; there is nothing to see or to stop before', async () => {
    const id = await draft()
    const begin = () => api.post(`/enrolments/${id}/verification`, { reason: 'a test' }, li)
    await api.asDocumented('post', '/enrolments/{id}/verification', await begin().expect(409))
    const shown = await api.get(`/enrolments/${id}/verification`).expect(200)
    await api.asDocumented('get', '/enrolments/{id}/verification', shown)
    expect(shown.body).toEqual({ running: null, report: null })
    await api.delete(`/enrolments/${id}/verification`, '*', li).expect(409)
  })

  it('of a donor that is not there fails, says why, and leaves it submitted', async () => {
    const id = await draft()
    await step(id, 'submit', li)
    await api.post(`/enrolments/${id}/verification`, { reason: 'a test' }, li).expect(202)
    let shown = await api.get(`/enrolments/${id}/verification`).expect(200)
    while (shown.body.running !== null) shown = await api.get(`/enrolments/${id}/verification`).expect(200)
    await api.asDocumented('get', '/enrolments/{id}/verification', shown)
    expect(shown.body.report).toMatchObject({ verdict: 'failed' })
    expect(shown.body.report.checks[0]).toMatchObject({ name: 'connect', outcome: 'failed' })
    expect((await api.get(`/enrolments/${id}`).expect(200)).body).toMatchObject({
      state: 'submitted',
      verification: { passed: false },
    })
  })
})

it('a preview of its activation shows what it would take over', async () => {
  const id = await draft()
  await step(id, 'submit', li)
  await verified(id)
  await step(id, 'approve', wang)
  const asked = (name: string) => api.post('/preview', { changes: [{ enrolment: id, step: name }] }, li)
  const answer = await api.asDocumented('post', '/preview', await asked('activate').expect(200))
  const donors = answer.body.after.nodes.map(({ node }: { node: string }) => node)
  expect(donors).toContain(`donor-${number}`)
  await api.asDocumented('post', '/preview', await asked('resume').expect(409))
})
