// What is dear to answer is bounded for each operator, so that nobody who may only look slows residents down.
import { expect, it } from '@jest/globals'
import { WorkBudget } from '../../gateway/policy/work-budget.ts'
import { openApi } from '../support/operators.ts'

it('says when to come again, and leaves others alone', async () => {
  await using api = await openApi()
  const viewer = await api.token('viewer')
  const answers = []
  for (let i = 0; i < 30; i++) answers.push(await api.post('/preview', { changes: [] }, viewer))
  const [refused] = answers.flatMap((answer) => (answer.status === 200 ? [] : [answer]))
  expect(answers.slice(0, 20).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  expect([refused?.status, refused?.body.type]).toEqual([429, 'urn:chiyuan:problem:too-many-requests'])
  expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0)
  if (refused !== undefined) await api.asDocumented('post', '/preview', refused)
  await api.post('/preview', { changes: [] }).expect(200)
  await api.get('/holds', viewer).expect(200)
})

it('gives units back with time, and no more than the burst', () => {
  const budget = new WorkBudget({ burst: 10, perSecond: 5, sources: 2 })
  expect([budget.take('a', 10, 0), budget.take('a', 1, 0), budget.take('b', 10, 0)]).toEqual([0, 200, 0])
  expect([budget.take('a', 5, 1000), budget.take('a', 1, 1000)]).toEqual([0, 200])
  expect([budget.take('a', 10, 1e6), budget.take('a', 1, 1e6)]).toEqual([0, 200])
})
