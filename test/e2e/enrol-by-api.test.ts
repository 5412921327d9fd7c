// The life of an enrolment by the operators' API: a region whose node was unknown is verified for real, approved by a
// second person, serves a tripped home's residents without a failed request, and is let go.
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { failed, startLoad } from '../support/load.ts'
import { callApi } from '../support/operator-token.ts'
import { startTestNode } from '../region-node/running-node.ts'

const enrolment = z.looseObject({
  id: z.string(),
  state: z.string(),
  possible: z.array(z.string()),
  version: z.int(),
})
const verification = z.object({
  running: z.object({ progress: z.array(z.unknown()) }).nullable(),
  report: z
    .looseObject({ verdict: z.string(), checks: z.array(z.looseObject({ name: z.string() })) })
    .nullable(),
})

const terms = (url: string) => ({
  donor: { code: '610400', name: { zh: '咸阳', en: 'Xianyang' }, tier: 'city' },
  homes: ['610100'],
  nodes: [{ id: 'xianyang-1', url }],
  limit: { rps: 100 },
  data: { fields: ['testTime', 'testResult'] },
  contact: { office: 'Xianyang data office', phone: '029 0000 0000', email: 'office@xianyang.example' },
  validFrom: new Date(Date.now() - 60_000).toISOString(),
  validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(),
})

it('drafted, submitted, verified, approved by another person, active, suspended', async () => {
  await using home = await startTestNode({ regionCode: '610100' })
  await using donor = await startTestNode({ regionCode: '610400', holds: ['610100'] })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': home.url } }], {
    admin: { port: 0, api: true },
    enrolment: { rampMs: 0, verificationRampMs: 1500 },
    concurrency: { initial: 1000 },
  })
  const admin = edge.gateway.firstToken ?? ''
  const api = async (token: string, method: string, path: string, body?: object, status = 200) => {
    const answer = await callApi(edge.adminUrl, token, method, path, body)
    const text = await answer.text()
    expect([`${method} ${path}`, answer.status, text]).toEqual([`${method} ${path}`, status, text])
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  const tokenOf = async (name: string, role: string): Promise<string> => {
    const made = await api(
      admin,
      'POST',
      '/tokens',
      { name, roles: [role], scope: ['610000'], reason: 'a test' },
      201,
    )
    return z.object({ token: z.string() }).parse(made).token
  }
  const li = await tokenOf('Li Wei', 'operator')
  const wang = await tokenOf('Wang Fang', 'approver')
  const liAsApprover = await tokenOf('Li Wei', 'approver')

  const draft = enrolment.parse(
    await api(li, 'POST', '/enrolments', { terms: terms(donor.url), reason: 'help for the new year' }, 201),
  )
  const path = `/enrolments/${draft.id}`
  const step = (token: string, name: string, status = 200, more: object = {}) =>
    api(token, 'POST', `${path}/${name}`, { reason: 'a test', ...more }, status)
  // Nothing out of turn, and nobody beyond their role.
  await step(wang, 'approve', 409)
  await step(li, 'activate', 409)
  await step(wang, 'submit', 403)
  expect(await step(li, 'submit')).toMatchObject({ state: 'submitted', submittedBy: { name: 'Li Wei' } })

  await api(li, 'POST', `${path}/verification`, { reason: 'a test' }, 202)
  await api(li, 'POST', `${path}/verification`, { reason: 'a test' }, 409)
  await eventually(async () => {
    const { running, report } = verification.parse(await api(li, 'GET', `${path}/verification`))
    expect([running, report?.verdict, report?.['reasons']]).toMatchObject([null, 'passed', expect.anything()])
    expect(report?.checks.map(({ name }) => name)).toContain('ramp')
  }, 15_000)
  expect(await api(li, 'GET', path)).toMatchObject({ state: 'verified', verification: { passed: true } })

  const samePerson = await step(liAsApprover, 'approve', 409)
  expect(samePerson).toMatchObject({ code: 'same-person' })
  expect(await step(wang, 'approve')).toMatchObject({
    state: 'approved',
    approval: { by: { name: 'Wang Fang' } },
  })
  const preview = { changes: [{ enrolment: draft.id, step: 'activate' }] }
  expect(await api(li, 'POST', '/preview', preview)).toMatchObject({ guards: expect.anything() })
  expect(await step(li, 'activate')).toMatchObject({ state: 'active' })
  await eventually(async () => {
    expect(await api(li, 'GET', '/nodes/xianyang-1')).toMatchObject({ measured: { health: 'up' } })
  }, 5000)

  const load = startLoad(edge.url, { ratePerSecond: 60, path: () => '/v1/codes/R610100-000001' })
  await load.until(({ body }) => body.includes('"issuer":"610100"'), 20)
  const hold = { kind: 'trip', region: '610100', reason: 'power', seconds: 60, override: true }
  const { id } = z.looseObject({ id: z.string() }).parse(await api(li, 'POST', '/holds', hold, 201))
  await load.until(({ body }) => body.includes('"issuer":"610400"'), 20)
  await api(li, 'DELETE', `/holds/${id}?reason=over`, undefined, 204)
  const until = load.samples.length
  await eventually(() => {
    expect(load.samples.slice(until).some(({ body }) => body.includes('"issuer":"610100"'))).toBe(true)
  }, 5000)
  expect(failed(await load.stop())).toEqual([])

  expect(await step(li, 'suspend', 200, { override: true })).toMatchObject({ state: 'suspended' })
  await eventually(async () => expect(await api(li, 'GET', '/explain?home=610100')).toMatchObject({}), 2000)
  expect(await step(li, 'withdraw', 200, { override: true })).toMatchObject({
    state: 'withdrawn',
    possible: [],
  })
  const log = z
    .object({ items: z.array(z.looseObject({ action: z.string(), outcome: z.string() })) })
    .parse(await api(admin, 'GET', '/audit?limit=500'))
  const steps = log.items.filter(({ action }) => action.startsWith('enrolment.'))
  expect(steps.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'enrolment.create done',
    'enrolment.approve refused',
    'enrolment.activate refused',
    'enrolment.submit refused',
    'enrolment.submit done',
    'enrolment.verify.begin done',
    'enrolment.verify refused',
    'enrolment.verify done',
    'enrolment.approve refused',
    'enrolment.approve done',
    'enrolment.activate done',
    'enrolment.suspend done',
    'enrolment.withdraw done',
  ])
  const events = await api(admin, 'GET', '/events/recent')
  expect(JSON.stringify(events)).toContain('"kind":"enrolment"')
}, 60_000)
