// Every enrolment is read anew with every decision, so one donor's are bounded, and a preview of many is made at once.
import { expect, it } from '@jest/globals'
import { enrolmentView } from '../../gateway/admin/schemas/enrolments.ts'
import { reportPrefix } from '../../gateway/admin/verifications.ts'
import { compareAndSet } from '../../gateway/control/registry/port.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { newEnrolment } from '../../gateway/policy/enrolment.ts'
import { activeEnrolment, putEnrolment, someTerms, stepped, submitter } from '../support/enrolments.ts'
import { openApi, threeCities } from '../support/operators.ts'

const dayMs = 86_400_000
const terms = someTerms({ validUntil: Date.now() + dayMs })
const draft = (id: string, now = 1000) => newEnrolment(terms, submitter, now, id)
const asked = { terms: enrolmentView(draft('e')).terms, reason: 'a test' }

it('takes so many of a donor, and says what to do about one more', async () => {
  await using api = await openApi()
  for (let i = 0; i < 20; i++) await putEnrolment(api.registry, draft(`e${i}`))
  const refused = await api.post('/enrolments', asked).expect(409)
  expect(refused.body.detail).toContain('withdraw one of them first')
  await api.asDocumented('post', '/enrolments', refused)
  await api.post('/enrolments/e3/withdraw', { reason: 'a test' }).set('If-Match', '*').expect(200)
  await api.post('/enrolments', asked).expect(201)
})

it('forgets the oldest that were withdrawn, with their reports', async () => {
  await using api = await openApi()
  for (let i = 0; i < 22; i++) {
    const { id, ...rest } = stepped(draft(`e${i}`, 1000 + i), { kind: 'withdraw', reason: 'a test' })
    await putEnrolment(api.registry, { id, ...rest })
    await compareAndSet(api.registry, reportPrefix + id, {}, 0)
  }
  await api.post('/enrolments', asked).expect(201)
  const { body } = await api.get('/enrolments?state=withdrawn').expect(200)
  const left = body.items.map(({ id }: { id: string }) => id)
  expect([left.length, left.includes('e0'), left.includes('e1'), left.includes('e2')]).toEqual([
    20,
    false,
    false,
    true,
  ])
  expect(await api.registry.list(reportPrefix)).toHaveLength(20)
})

it('previews several steps together: none undoes another', async () => {
  await using api = await openApi()
  const federation = { regions: threeCities, enrolments: [] }
  for (const [id, code] of [
    ['e1', '610600'],
    ['e2', '610700'],
  ] as const) {
    const changes = {
      donor: { code: regionId(code), name: { zh: code, en: code }, tier: 'city' as const },
      nodes: [{ id: nodeId(`n-${id}`), url: `http://127.0.0.1:9/${id}`, weight: 1, limit: null }],
      validUntil: Date.now() + dayMs,
    }
    await putEnrolment(api.registry, activeEnrolment(changes, Date.now(), id, { federation }))
  }
  await api.directory.read()
  const changes = ['e1', 'e2'].map((enrolment) => ({ enrolment, step: 'withdraw' }))
  const { body } = await api.post('/preview', { changes }).expect(200)
  const regionsOf = (told: { regions: { region: string }[] }) => told.regions.map(({ region }) => region)
  expect(regionsOf(body.before)).toEqual(expect.arrayContaining(['610600', '610700']))
  expect(regionsOf(body.after)).not.toEqual(expect.arrayContaining(['610600']))
  expect(regionsOf(body.after)).not.toEqual(expect.arrayContaining(['610700']))
})
