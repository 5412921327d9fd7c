import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { createTurnstile } from '../../region-node/turnstile.ts'
import { RESIDENT, spawnNode, temporaryFolder } from './running-node.ts'
import { letTerminalIn } from './terminal.ts'

it('lets one through a turn of the event loop, in the order in which they came', async () => {
  const turn = createTurnstile()
  const passed: number[] = []
  const all = Promise.all(
    [0, 1, 2, 3, 4].map(async (nth) => {
      await turn()
      passed.push(nth)
    }),
  )
  for (let turns = 0; turns < 20 && passed.length < 5; turns += 1) {
    const before = passed.length
    await nextTurn()
    expect(passed.length - before).toBeLessThanOrEqual(1)
  }
  await all
  expect(passed).toStrictEqual([0, 1, 2, 3, 4])
  await turn()
})

// The attack: terminals that keep the limit of their places, and yet take all of the processor.
it('a flood of full batches does not keep residents from their codes', async () => {
  using folder = temporaryFolder()
  const dataFile = folder.file('node.db')
  await using node = await spawnNode('--data', dataFile, '--notice-ms', '0')
  const flood = { on: true }
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${letTerminalIn(dataFile)}` },
    body: JSON.stringify({ subjectTokens: Array.from({ length: 100 }, () => syntheticToken(RESIDENT)) }),
  }
  const terminals = 30
  let batches = 0
  const terminal = async (): Promise<void> => {
    while (flood.on) {
      const answer = await fetch(`${node.url}/v1/id-cards/lookups`, post)
      await answer.arrayBuffer()
      expect(answer.status).toBe(200)
      batches += 1
    }
  }
  const flooding = Promise.all(Array.from({ length: terminals }, terminal))
  const until = performance.now() + 1_500
  let codes = 0
  while (performance.now() < until) {
    const answer = await fetch(`${node.url}/v1/codes/${RESIDENT}`)
    await answer.arrayBuffer()
    expect(answer.status).toBe(200)
    codes += 1
  }
  flood.on = false
  await flooding
  // A resident who had to wait for all of them got 0.4 codes for each batch of a terminal; now it is 3 and more.
  expect(codes).toBeGreaterThan((1.5 * batches) / terminals)
})
