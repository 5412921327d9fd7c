// The feed that donors will follow: every change once more at its end, in order, and no scan to find it.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import request from 'supertest'
import { seedResidents } from '../../region-node/seed.ts'
import { openStore } from '../../region-node/store/store.ts'
import type { FeedEntry } from '../../region-node/store/feed.ts'
import type { Store } from '../../region-node/store/store.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'

const HOME = '610100'
const START = { epoch: 1, seq: 0 }

async function storeWith(residents: number): Promise<Disposable & { store: Store }> {
  const store = openStore(':memory:')
  await seedResidents(store, [HOME, '610400'], residents, 0)
  return { store, [Symbol.dispose]: () => store.close() }
}

/** Everything after `from`, read a page at a time as a donor does. */
function follow(store: Store, from: { epoch: number; seq: number }, page: number): FeedEntry[] {
  const read: FeedEntry[] = []
  for (;;) {
    const entries = store.feed.after(HOME, read.at(-1) ?? from, page)
    if (entries.length === 0) return read
    read.push(...entries)
  }
}

describe('the feed of a region', () => {
  it('is a snapshot when read from the start, of that region alone', async () => {
    using seeded = await storeWith(10)
    const entries = follow(seeded.store, START, 3)
    expect(entries.map(({ seq }) => seq)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(new Set(entries.map(({ homeRegion }) => homeRegion))).toStrictEqual(new Set([HOME]))
  })

  it('gives whoever follows it exactly what the store holds, whatever changes meanwhile', async () => {
    using seeded = await storeWith(8)
    const { store } = seeded
    const change = fc.record({
      nth: fc.integer({ min: 1, max: 8 }),
      status: fc.constantFrom('yellow', 'red'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), fc.nat(12), async (changes, readAfter) => {
        const copy = new Map(follow(store, START, 5).map((entry) => [entry.residentToken, entry]))
        let at = store.feed.head(HOME)
        for (const [nth, { status, nth: number }] of changes.entries()) {
          const token = syntheticToken(`R${HOME}-00000${number}`)
          const before = store.residents.byToken(token)
          if (!before) throw new Error('not seeded')
          await store.write(() =>
            store.residents.update({ ...before, status: status === 'red' ? 'red' : 'yellow' }),
          )
          if (nth !== readAfter) continue
          for (const entry of follow(store, at, 2)) copy.set(entry.residentToken, entry)
          at = store.feed.head(HOME)
        }
        for (const entry of follow(store, at, 2)) copy.set(entry.residentToken, entry)
        for (const entry of copy.values()) {
          const { epoch: _epoch, seq: _seq, ...resident } = entry
          expect(store.residents.byToken(entry.residentToken)).toStrictEqual(resident)
        }
        expect(copy.size).toBe(8)
      }),
      { numRuns: 40 },
    )
  })

  it('takes no place twice after a write was undone, nor after a restart', async () => {
    using folder = temporaryFolder()
    const file = folder.file('node.db')
    const store = openStore(file)
    await seedResidents(store, [HOME], 2, 0)
    const resident = store.residents.byToken(syntheticToken(RESIDENT))
    if (!resident) throw new Error('not seeded')
    const undone = store.write(() => {
      store.residents.update(resident)
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    expect(store.feed.head(HOME)).toStrictEqual({ epoch: 1, seq: 2 })
    await store.write(() => store.residents.update(resident))
    expect(store.feed.head(HOME)).toStrictEqual({ epoch: 1, seq: 4 })
    store.close()
    const again = openStore(file)
    expect(again.feed.next(HOME)).toStrictEqual({ epoch: 1, seq: 5 })
    again.close()
  })

  it('orders a later epoch after every place of an earlier one', async () => {
    using folder = temporaryFolder()
    const store = openStore(folder.file('node.db'))
    await seedResidents(store, [HOME], 3, 0)
    using db = new DatabaseSync(folder.file('node.db'))
    db.exec('UPDATE resident SET epoch = 2, seq = 1 WHERE seq = 2')
    expect(follow(store, START, 2).map(({ epoch, seq }) => [epoch, seq])).toStrictEqual([
      [1, 1],
      [1, 3],
      [2, 1],
    ])
    expect(store.feed.head(HOME)).toStrictEqual({ epoch: 2, seq: 1 })
    store.close()
  })

  it('moves on for home’s own changes only: a backup gives no places in a feed that is not its own', async () => {
    using folder = temporaryFolder()
    const body = { residentId: RESIDENT, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
    const headAfterTest = async (regionCode: string): Promise<unknown> => {
      const dataFile = folder.file(`${regionCode}.db`)
      {
        await using node = await startTestNode({ regionCode, holds: [HOME], dataFile })
        await request(node.url).post('/v1/tests').send(body).expect(201)
        const { status } = (await request(node.url).get(`/v1/codes/${RESIDENT}`)).body
        expect(status).toBe('red')
      }
      const store = openStore(dataFile)
      const head = store.feed.head(HOME)
      store.close()
      return head
    }
    expect(await headAfterTest(HOME)).toStrictEqual({ epoch: 1, seq: 21 })
    expect(await headAfterTest('610400')).toStrictEqual({ epoch: 1, seq: 20 })
  })
})

it.each([
  { what: 'a resident by his token', sql: 'SELECT status FROM resident WHERE token = ?', by: 'PRIMARY KEY' },
  {
    what: 'a page of the feed',
    sql: `SELECT token FROM resident WHERE home_region = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT 9`,
    by: 'INDEX resident_feed',
  },
  {
    what: 'a resident’s tests',
    sql: `SELECT result FROM test WHERE token = ? ORDER BY sampled_at_ms DESC, reported_at_ms DESC`,
    by: 'PRIMARY KEY',
  },
])('$what is found without a scan or a sort', ({ sql, by }) => {
  using folder = temporaryFolder()
  openStore(folder.file('node.db')).close()
  using db = new DatabaseSync(folder.file('node.db'))
  const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
  expect(plan).toHaveLength(1)
  expect(plan[0]?.['detail']).toMatch(new RegExp(`^SEARCH .*${by}`))
})

it('a row that no release wrote is named, and what would be right', async () => {
  using folder = temporaryFolder()
  const store = openStore(folder.file('node.db'))
  await seedResidents(store, [HOME], 1, 0)
  using db = new DatabaseSync(folder.file('node.db'))
  db.exec('PRAGMA ignore_check_constraints = ON; UPDATE resident SET status = 7')
  expect(() => store.residents.byToken(syntheticToken(RESIDENT))).toThrow(
    'status in the store must be 0 to 2',
  )
  store.close()
})
