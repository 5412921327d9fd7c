// A file of every earlier version is opened by this release with nothing lost.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { MIGRATIONS } from '../../region-node/store/migrations.ts'
import { openStore } from '../../region-node/store/store.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'

const A_UUID = '0b5f0c1e-8a4a-4f4e-9f5e-2f1f5b6c7d8e'

/** A file as version 1 wrote it: one resident turned red, with a synthetic test and one handed in. */
function writeVersion1(file: string): void {
  using db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; ${MIGRATIONS[0]}; PRAGMA user_version = 1;
    INSERT INTO holding VALUES ('610100', 2, 5);
    INSERT INTO resident VALUES ('${RESIDENT}', 'old-token-1', '610100', 'red', 300, 200, 'positive');
    INSERT INTO resident VALUES ('R610100-000002', 'old-token-2', '610100', 'green', 100, NULL, NULL);
    INSERT INTO test VALUES ('old-token-1-0', '${RESIDENT}', 'negative', 100, 110, NULL, '610100');
    INSERT INTO test VALUES ('${A_UUID}', '${RESIDENT}', 'positive', 200, 210, '市一院', '610400');
    INSERT INTO answer VALUES ('key', 'digest', '{}', 210);`)
}

describe('a file of version 1', () => {
  it('keeps residents, tests, holdings and answers', () => {
    using folder = temporaryFolder()
    writeVersion1(folder.file('node.db'))
    const store = openStore(folder.file('node.db'))
    const residentToken = syntheticToken(RESIDENT)
    expect(store.residents.byToken(residentToken)).toStrictEqual({
      residentToken,
      homeRegion: '610100',
      status: 'red',
      updatedAtMs: 300,
      testTimeMs: 200,
      testResult: 'positive',
    })
    expect(store.tests.newest(residentToken, 9)).toMatchObject([
      { testId: A_UUID, result: 'positive', sampledAtMs: 200, laboratory: '市一院', originRegion: '610400' },
      { testId: expect.stringMatching(/^[\da-f-]{36}$/), result: 'negative', laboratory: null },
    ])
    expect(store.holdings.all()).toStrictEqual([{ region: '610100', residents: 2, refreshedAtMs: 5 }])
    expect(store.answers.find('key', 220)).toStrictEqual({ requestDigest: 'digest', body: '{}' })
    store.close()
  })

  it('gets a feed in the order of its changes, which goes on from there', async () => {
    using folder = temporaryFolder()
    writeVersion1(folder.file('node.db'))
    const store = openStore(folder.file('node.db'))
    expect(store.feed.after('610100', { epoch: 1, seq: 0 }, 9)).toMatchObject([
      { residentToken: syntheticToken('R610100-000002'), epoch: 1, seq: 1 },
      { residentToken: syntheticToken(RESIDENT), epoch: 1, seq: 2 },
    ])
    expect(store.feed.next('610100')).toStrictEqual({ epoch: 1, seq: 3 })
    store.close()
  })

  it('is served by a node as it is, and brought up to date once', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    writeVersion1(dataFile)
    for (let start = 1; start <= 2; start += 1) {
      await using node = await startTestNode({ dataFile, residents: 2 })
      const { body } = await request(node.url).get(`/v1/codes/${RESIDENT}`).expect(200)
      expect(body).toMatchObject({ status: 'red', testResult: 'positive' })
    }
  })

  it('is left as it was when a step fails', () => {
    using folder = temporaryFolder()
    const file = folder.file('node.db')
    writeVersion1(file)
    using db = new DatabaseSync(file)
    // Not a division code: version 2 refuses it.
    db.exec("UPDATE resident SET home_region = '9999999'")
    expect(() => openStore(file)).toThrow(/^data file .* can't be used: CHECK constraint failed/)
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 1 })
    expect(db.prepare('SELECT count(*) AS n FROM resident').get()).toMatchObject({ n: 2 })
  })
})
