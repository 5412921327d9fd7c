// A donor's freed places were offered to the waiting homes in one fixed order: while the first of two cities in need had
// anybody waiting, the other got nothing at all, and its residents were turned away.
import { expect, it } from '@jest/globals'
import { ask, heldNode, region, startCrowd, waiting } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'

it('two homes that wait for one donor take turns', async () => {
  await using donor = await heldNode('donor')
  await using edge = await startCrowd(
    [
      region('610100', {}, { neighbours: ['610400'] }),
      region('610300', {}, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': { url: donor.node.url, limit: 1 } }),
    ],
    { queue: { targetWaitMs: 5000, maxWaitMs: 5000 } },
  )
  const answers = [ask(edge, '/v1/codes/first')]
  await eventually(() => expect(donor.open).toBe(1))
  for (const [i, home] of ['610100', '610100', '610100', '610300', '610300'].entries()) {
    answers.push(ask(edge, `/v1/codes/${home}-${i}`, home))
    await eventually(async () => expect(await waiting(edge)).toBe(i + 1))
  }
  for (let served = 1; served <= 6; served++) {
    await eventually(() => expect(donor.seen).toHaveLength(served))
    donor.release(1)
  }
  await Promise.all(answers)
  const homes = donor.seen.slice(1).map((path) => path.slice('/v1/codes/'.length, -2))
  expect(homes).toEqual(['610100', '610300', '610100', '610300', '610100'])
})
