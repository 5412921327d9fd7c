// A worker that ended is replaced at once; one that ends again and again ever more rarely, and never faster than it can.
import { expect, it } from '@jest/globals'
import { earlyEnds, respawnPauseMs, settledMs } from '../../gateway/policy/respawn.ts'

it('pauses grow from nothing to ten seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 1000].map(respawnPauseMs)).toEqual([
    0, 0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ])
})

it('a good life makes up for all early ends', () => {
  expect(earlyEnds(0, 0)).toBe(1)
  expect(earlyEnds(5, settledMs - 1)).toBe(6)
  expect(earlyEnds(5, settledMs)).toBe(0)
})
