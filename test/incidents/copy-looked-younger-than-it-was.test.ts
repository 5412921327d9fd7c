// A donor that had fallen behind by more than was agreed was restarted while home was silent, and served from then on:
// only how old its copy was had been written down, not that home had been heard since. A clock that was an hour ahead and
// was set back made a copy "current" for an hour, whatever it missed, and so did a home that said it had held a request
// for an hour. Each showed colours that home had worsened since, as near as agreed.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { openStore, type Store } from '../../region-node/store/store.ts'
import { followByHand, page, row, someTerms } from '../region-node/replication/peer-by-hand.ts'

const hourMs = 3_600_000
let store: Store
let now = 0
const clock = (): number => now

beforeEach(() => {
  store = openStore(':memory:')
  now = 10 * hourMs
})
afterEach(() => store.close())

const first = row('R610100-000001', 'green', 1, 1)
/** More has happened at home than the page holds. */
const behind = (seq: number) =>
  page([row('R610100-000001', 'green', 1, seq)], { head: { epoch: 1, seq: 99 } })

it('a restart does not make up for having been too far behind', async () => {
  const before = followByHand(store, clock)
  await before.take(page([first]))
  expect(before.follower.standing().fault).toBeNull()
  now += 5_000
  await before.take(behind(2))
  expect(before.follower.standing().fault).toMatch(/behind/)
  const restarted = followByHand(store, clock)
  expect(restarted.follower.standing().fault).not.toBeNull()
  // It serves again once it has all.
  await restarted.take(page([row('R610100-000001', 'red', 1, 3)]))
  expect(restarted.follower.standing().fault).toBeNull()
})

it('one that was near enough serves on after a restart, also with home silent', async () => {
  await followByHand(store, clock).take(page([first]))
  now += 5_000
  expect(followByHand(store, clock).follower.standing()).toMatchObject({ fault: null, freshness: 'stale' })
})

it.each([
  { name: 'while home answers', restart: false },
  { name: 'over a restart', restart: true },
])('a clock that is set back does not make it younger $name', async ({ restart }) => {
  let copy = followByHand(store, clock)
  await copy.take(page([first]))
  now -= hourMs
  if (restart) copy = followByHand(store, clock)
  else await copy.take(behind(2))
  now += 3_000
  expect(copy.follower.standing().freshness).toBe('stale')
  now += someTerms.maxAgeSeconds * 1_000
  expect(copy.follower.standing().fault).not.toBeNull()
})

it('home can not date its feed to a time to come', async () => {
  const copy = followByHand(store, clock)
  await copy.take(page([first], { heldMs: hourMs }))
  now += 3_000
  expect(copy.follower.standing().freshness).toBe('stale')
})
