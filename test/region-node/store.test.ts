import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import { seedResidents } from '../../region-node/seed.ts'
import { MIGRATIONS } from '../../region-node/store/migrations.ts'
import { openStore } from '../../region-node/store/store.ts'
import type { Store } from '../../region-node/store/store.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'

/** A store with one resident, closed with the test. */
async function seededStore(): Promise<Disposable & { store: Store }> {
  const store = openStore(':memory:')
  await seedResidents(store, ['610100'], 1, 0)
  return { store, [Symbol.dispose]: () => store.close() }
}

describe('the store', () => {
  it('undoes a write that throws and keeps the others of its group', async () => {
    using seeded = await seededStore()
    const { store } = seeded
    const failing = store.write(() => {
      store.holdings.put({ region: '999999', residents: 1, refreshedAtMs: 0 })
      throw new Error('no')
    })
    const fine = store.write(() => {
      store.holdings.put({ region: '610400', residents: 1, refreshedAtMs: 0 })
      return 'done'
    })
    await expect(failing).rejects.toThrow('no')
    await expect(fine).resolves.toBe('done')
    expect(store.holdings.all().map((holding) => holding.region)).toStrictEqual(['610100', '610400'])
  })

  it('acknowledges nothing of a group that could not be committed', async () => {
    using folder = temporaryFolder()
    const store = openStore(folder.file('node.db'))
    using other = new DatabaseSync(folder.file('node.db'))
    other.exec('BEGIN IMMEDIATE')
    const put = (): void => store.holdings.put({ region: '610400', residents: 1, refreshedAtMs: 0 })
    await expect(store.write(put)).rejects.toThrow('locked')
    other.exec('ROLLBACK')
    expect(store.holdings.all()).toStrictEqual([])
    await store.write(put)
    expect(store.holdings.all()).toHaveLength(1)
    store.close()
  })

  it('commits what still waits when it is closed', async () => {
    using folder = temporaryFolder()
    const store = openStore(folder.file('node.db'))
    const written = store.write(() =>
      store.holdings.put({ region: '610100', residents: 0, refreshedAtMs: 0 }),
    )
    store.close()
    await written
    const reopened = openStore(folder.file('node.db'))
    expect(reopened.holdings.all()).toHaveLength(1)
    reopened.close()
  })

  it('refuses a file that a newer release wrote', () => {
    using folder = temporaryFolder()
    const file = folder.file('node.db')
    openStore(file).close()
    using db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    expect(() => openStore(file)).toThrow(
      `data file ${file} has schema version 99, this release knows up to ${MIGRATIONS.length}`,
    )
  })
})

describe('seeding', () => {
  it('keeps what has changed, and adds residents when more are wanted', async () => {
    using seeded = await seededStore()
    const { store } = seeded
    const before = store.residents.byToken(syntheticToken(RESIDENT))
    if (!before) throw new Error('not seeded')
    await store.write(() => store.residents.update({ ...before, status: 'red' }))
    await seedResidents(store, ['610100', '610400'], 3, 1)
    expect(store.residents.byToken(syntheticToken(RESIDENT))?.status).toBe('red')
    expect(store.residents.byToken(syntheticToken('R610100-000003'))).toBeDefined()
    expect(store.residents.byToken(syntheticToken('R610400-000003'))).toBeDefined()
    expect(store.holdings.all()).toStrictEqual([
      { region: '610100', residents: 3, refreshedAtMs: 1 },
      { region: '610400', residents: 3, refreshedAtMs: 1 },
    ])
  })

  it('touches nothing when there is nothing to add', async () => {
    using seeded = await seededStore()
    await seedResidents(seeded.store, ['610100'], 1, 5)
    expect(seeded.store.holdings.all()).toStrictEqual([{ region: '610100', residents: 1, refreshedAtMs: 0 }])
  })
})

describe('startRegionNode', () => {
  it('names every option that is wrong', async () => {
    await expect(startTestNode({ regionCode: 'xian', limit: 0 })).rejects.toThrow(
      'invalid options: regionCode: must be a six-digit division code such as 610100; ' +
        'limit: must be a whole number from 1 to 100000',
    )
  })

  it('releases its data file when the port is taken', async () => {
    using folder = temporaryFolder()
    await using first = await startTestNode()
    const dataFile = folder.file('node.db')
    await expect(startTestNode({ port: first.port, dataFile })).rejects.toThrow('already in use')
    using db = new DatabaseSync(dataFile)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT')
  })
})
