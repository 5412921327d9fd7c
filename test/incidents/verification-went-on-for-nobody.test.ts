// The terms of an enrolment were changed, or it was withdrawn, while its donor was verified: the donor was loaded to the
// end all the same, and what came of it was counted as a fault of the gateway. Who began a verification stood in the audit
// log only when it ended by itself, so that a donor could be loaded again and again by somebody unknown. And a donor that
// stalled, with many nodes and homes, held up everybody's verifications for days.
import { expect, it } from '@jest/globals'
import type { EnrolmentTerms } from '../../gateway/model/enrolment.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { verificationSettings } from '../../gateway/control/verification/settings.ts'
import { verify } from '../../gateway/control/verification/verify.ts'
import { newEnrolment } from '../../gateway/policy/enrolment.ts'
import { enrolmentView } from '../../gateway/admin/schemas/enrolments.ts'
import { someTerms, submitter } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { connectorWith } from '../support/node-tls.ts'
import { type Api, openApi } from '../support/operators.ts'
import { httpUpstream } from '../support/upstream.ts'

const wired = (changes: Partial<EnrolmentTerms>) =>
  enrolmentView(
    newEnrolment(someTerms({ validUntil: Date.now() + 86_400_000, ...changes }), submitter, 0, 'e1'),
  ).terms

async function verifying(api: Api, url: string) {
  const terms = wired({ nodes: [{ id: nodeId('yanan-1'), url, weight: 1, limit: null }] })
  const { body } = await api.post('/enrolments', { terms, reason: 'a test' }).expect(201)
  const path = `/enrolments/${body.id}`
  const step = (name: string) => api.post(`${path}/${name}`, { reason: 'a test' }).set('If-Match', '*')
  await step('submit').expect(200)
  await step('verification').expect(202)
  return { path, step, terms }
}

const running = async (api: Api, path: string) => (await api.get(`${path}/verification`)).body.running

it.each(['edit', 'return', 'withdraw', 'break off'])('ends with: %s', async (how) => {
  const open = { requests: 0, ended: 0 }
  await using donor = await httpUpstream((request) => {
    open.requests += 1
    request.once('close', () => (open.ended += 1))
  })
  await using api = await openApi()
  const { path, step, terms } = await verifying(api, donor.url)
  await eventually(() => expect(open.requests).toBe(1))
  if (how === 'edit') await api.put(path, { terms, reason: 'other terms' }, '*').expect(200)
  else if (how === 'break off') await api.delete(`${path}/verification`, '*').expect(204)
  else await step(how).expect(200)
  await eventually(async () => expect(await running(api, path)).toBeNull())
  await eventually(() => expect(open).toEqual({ requests: 1, ended: 1 }))
  expect(api.faults).toEqual([])
  const { body } = await api.get('/audit?limit=500')
  const actions = body.items.map(({ action }: { action: string }) => action)
  expect(actions).toContain('enrolment.verify.begin')
  expect(actions.includes('enrolment.verify.stop')).toBe(how === 'break off')
})

it('ends in time, and says what to do, where a donor stalls', async () => {
  await using donor = await httpUpstream(() => {})
  const nodes = Array.from({ length: 100 }, (_, i) => ({
    id: nodeId(`n${i}`),
    url: `${donor.url}/${i}`,
    weight: 1,
    limit: null,
  }))
  const homes = Array.from({ length: 400 }, (_, i) => regionId(String(610_100 + i)))
  const report = await verify(newEnrolment(someTerms({ nodes, homes }), submitter, 0, 'e1'), {
    connector: connectorWith(),
    signal: new AbortController().signal,
    progress: () => {},
    settings: { ...verificationSettings, checksMs: 500 },
  })
  expect(report.verdict).toBe('failed')
  expect(report.reasons.map(({ en }) => en).join()).toContain('fewer nodes or homes')
  expect(report.endedAt - report.startedAt).toBeLessThan(2000)
})

it('refuses a time that no clock of ours has', async () => {
  await using api = await openApi()
  const terms = { ...wired({}), validFrom: '1969-01-01T00:00:00+08:00' }
  const answer = await api.post('/enrolments', { terms, reason: 'a test' }).expect(422)
  expect(answer.body.errors).toMatchObject([{ field: 'terms.validFrom' }])
  expect(api.faults).toEqual([])
})
