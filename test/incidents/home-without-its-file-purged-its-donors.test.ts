// Home's writer was started again without --agreements. It knew of none, said so to every donor, and each forgot its
// copy and signed for it: one slip of the hand took away all backups at once.
import { expect, it, jest } from '@jest/globals'
import request from 'supertest'
import {
  agreementsFile,
  HOME,
  patienceMs,
  peerUrl,
  readyFor,
  startDonor,
  startHome,
  statusAt,
} from '../region-node/replication/federation.ts'
import { peerWorld } from '../region-node/replication/peer-world.ts'
import { startTestNode, temporaryFolder } from '../region-node/running-node.ts'
import { eventually } from '../support/eventually.ts'

jest.setTimeout(60_000)

it('a home that was given no agreements takes no copy away', async () => {
  using folder = temporaryFolder()
  const dataFile = folder.file('home.db')
  const home = await startHome(await agreementsFile('slip', {}), { dataFile })
  const peerPort = home.peerPort ?? 0
  await using donor = await startDonor(peerUrl(home))
  await readyFor(donor)
  const before = await statusAt(donor, `R${HOME}-000002`)
  await home.close()
  await using _bare = await startTestNode({
    dataFile,
    peerPort,
    peer: await (await peerWorld()).filesOf(HOME),
  })
  const copy = async () => (await request(donor.url).get('/load')).body.copies[0]
  await eventually(async () => expect((await copy()).inContact).toBe(false), patienceMs)
  // It asks again, is told the same again, and keeps what it has.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(await copy()).toMatchObject({ inContact: false, agreement: 'agreement-0' })
  expect(await statusAt(donor, `R${HOME}-000002`)).toBe(before)
  await readyFor(donor)
})
