// A donor certified that it had forgotten a home's residents while another process still read the store, so that they
// were in its write-ahead log for whoever had the file. One that was killed while it forgot certified only the rest, or
// nothing; and it served what was left after its restart. A test that was taken in the meantime was left in the journal.
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, jest } from '@jest/globals'
import request from 'supertest'
import type { RegionNode } from '../../region-node/main.ts'
import { forgetResidents } from '../../region-node/replication/purge.ts'
import { openStore } from '../../region-node/store/store.ts'
import { syntheticResidentId, syntheticToken } from '../../region-node/synthetic.ts'
import {
  agreementsFile,
  HOME,
  patienceMs,
  peerUrl,
  positive,
  readyFor,
  startDonor,
  startHome,
  writeAgreements,
} from '../region-node/replication/federation.ts'
import { followByHand, page, row } from '../region-node/replication/peer-by-hand.ts'
import { temporaryFolder } from '../region-node/running-node.ts'
import { eventually as eventuallyWithin } from '../support/eventually.ts'

jest.setTimeout(60_000)

const eventually = (check: () => void | Promise<void>): Promise<void> => eventuallyWithin(check, patienceMs)

const resident = `R${HOME}-000002`
const take = (node: RegionNode, key: string) =>
  request(node.url).post('/v1/tests').set('Idempotency-Key', key).send(positive(resident))
const certificates = (file: string): number => {
  const store = openStore(file)
  try {
    return store.purges.all().length
  } finally {
    store.close()
  }
}

it('nothing is certified while another process can still read it, and nothing is taken', async () => {
  using folder = temporaryFolder()
  const dataFile = folder.file('donor.db')
  const agreements = await agreementsFile('reader', {})
  await using home = await startHome(agreements)
  await using donor = await startDonor(peerUrl(home), { dataFile })
  await readyFor(donor)
  await take(donor, 'k1').expect(201)
  const reader = new DatabaseSync(dataFile, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM resident').get()
  writeAgreements(agreements, { until: '2021-01-01T00:00:00+08:00' })
  // What is being forgotten is nobody's to ask for, or to add to.
  await eventually(async () => expect((await take(donor, 'k2')).status).toBe(421))
  await eventually(() => expect(openResidents(dataFile)).toBe(0))
  expect(certificates(dataFile)).toBe(0)
  reader.exec('COMMIT')
  reader.close()
  await eventually(() => expect(certificates(dataFile)).toBe(1))
  const token = Buffer.from(syntheticToken(resident), 'base64url')
  for (const file of [dataFile, `${dataFile}-wal`].filter((name) => existsSync(name)))
    expect(readFileSync(file).includes(token)).toBe(false)
})

function openResidents(file: string): unknown {
  using db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 })
  return Object.values(
    db.prepare('SELECT count(*) FROM resident WHERE home_region = ?').get(Number(HOME)) ?? {},
  )[0]
}

it('a donor that is killed while it forgets goes on, certifies all it held, and serves nobody meanwhile', async () => {
  using folder = temporaryFolder()
  const file = folder.file('killed.db')
  {
    const store = openStore(file)
    const people = Array.from({ length: 1_200 }, (_, nth) =>
      row(syntheticResidentId(HOME, nth + 1), 'green', 1, nth + 1),
    )
    const copy = followByHand(store, Date.now)
    await copy.take(page(people))
    expect(copy.follower.standing().fault).toBeNull()
    const killed = new AbortController()
    const forgetting = forgetResidents(store, HOME, killed.signal)
    await eventually(() => expect(store.copies.count(HOME)).toBeLessThan(1_200))
    killed.abort()
    expect(await forgetting).toBeNull()
    expect(store.copies.count(HOME)).toBeGreaterThan(0)
    store.close()
  }
  const store = openStore(file)
  expect(followByHand(store, Date.now).follower.standing().fault).not.toBeNull()
  expect(await forgetResidents(store, HOME, new AbortController().signal)).toBe(1_200)
  expect(store.copies.count(HOME)).toBe(0)
  store.close()
})
