// The bound on who may wait counted all classes alike: a queue full of history lookups turned a checkpoint's verification
// away at once, in the moment before shedding by class had noticed the crowd.
import { expect, it } from '@jest/globals'
import { type Answer, ask, heldNode, region, startCrowd, waiting } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'

it('the more important takes the place of a lesser one that waits, and only of a lesser one', async () => {
  await using local = await heldNode('local')
  await using edge = await startCrowd([region('610100', { 'xian-1': { url: local.node.url, limit: 1 } })], {
    queue: { size: 2, targetWaitMs: 10_000, maxWaitMs: 10_000 },
    classes: { deferrable: { routes: [{ path: '/v1/history/**' }] } },
  })
  const answers: Promise<Answer>[] = [ask(edge, '/v1/codes/first')]
  await eventually(() => expect(local.open).toBe(1))
  for (const path of ['/v1/tests/1', '/v1/history/2']) {
    answers.push(ask(edge, path))
    await eventually(async () => expect(await waiting(edge)).toBe(answers.length - 1))
  }
  answers.push(ask(edge, '/v1/codes/3'))
  expect((await answers[2])?.status).toBe(503)
  expect((await ask(edge, '/v1/tests/4')).status).toBe(503)
  expect(await waiting(edge)).toBe(2)
  local.letGo()
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 503, 200])
  expect(local.seen).toEqual(['/v1/codes/first', '/v1/codes/3', '/v1/tests/1'])
})
