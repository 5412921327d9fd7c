// Home was restored from a backup while a donor read its residents for the first time. The donor went on where it was:
// half its copy was of the lost home, half of the restored one, it said of itself that it was whole, and residents whom
// home had changed at places that the donor had passed kept the colour of before for ever.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { openStore, type Store } from '../../region-node/store/store.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { followByHand, page, row } from '../region-node/replication/peer-by-hand.ts'

let store: Store
beforeEach(() => {
  store = openStore(':memory:')
})
afterEach(() => store.close())

const [one, two] = ['R610100-000001', 'R610100-000002']
const part = page([row(one, 'green', 1, 1), row(two, 'green', 1, 5)], { head: { epoch: 1, seq: 9 } })

it.each([{ restarted: false }, { restarted: true }])(
  'a new epoch in the middle is read from its start (donor restarted: $restarted)',
  async ({ restarted }) => {
    let copy = followByHand(store, Date.now)
    await copy.take(part)
    if (restarted) copy = followByHand(store, Date.now)
    // The restored home has changed the first resident at a place that the donor had passed, and begun epoch 2.
    await copy.take(page([row('R610100-000009', 'green', 2, 1)]))
    expect(copy.follower.facts.whole).toBe(false)
    await copy.take(page([row(one, 'red', 1, 3), row(two, 'green', 1, 4)], { head: { epoch: 2, seq: 1 } }))
    await copy.take(page([row('R610100-000009', 'green', 2, 1)]))
    expect(copy.follower.standing().fault).toBeNull()
    expect(store.residents.byToken(syntheticToken(one))?.status).toBe('red')
  },
)

it('a home that has come less far than what was read of it is refused', async () => {
  const copy = followByHand(store, Date.now)
  await copy.take(part)
  await expect(copy.take(page([], { head: { epoch: 1, seq: 3 } }))).rejects.toThrow(/begin-epoch/)
})
