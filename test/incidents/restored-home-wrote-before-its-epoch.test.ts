// A writer was restored from a backup and started before anybody ran begin-epoch. What it wrote then took places in its
// feed that its donors held for other residents: once the epoch was begun, each donor failed at the first such place, for
// ever. And where it had written more than it had lost, donors did not notice at all, and kept green whom it had made red.
import { copyFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'
import request from 'supertest'
import type { RegionNode } from '../../region-node/main.ts'
import {
  agreementsFile,
  HOME,
  patienceMs,
  peerUrl,
  positive,
  readyFor,
  startDonor,
  startHome,
  statusAt,
} from '../region-node/replication/federation.ts'
import { runChiyuan, temporaryFolder } from '../region-node/running-node.ts'
import { eventually as eventuallyWithin } from '../support/eventually.ts'

jest.setTimeout(60_000)

const eventually = (check: () => void | Promise<void>): Promise<void> => eventuallyWithin(check, patienceMs)
const person = (nth: number): string => `R${HOME}-${String(nth).padStart(6, '0')}`
/** All green at first. */
const [lost, early, late] = [person(2), person(3), person(4)]

const take = (node: RegionNode, residentId: string) =>
  request(node.url).post('/v1/tests').send(positive(residentId)).expect(201)

/** A donor that has followed home past its backup, and home's two files. Home is gone. */
async function afterTheLoss(name: string) {
  const open = new AsyncDisposableStack()
  const folder = open.use(temporaryFolder())
  const agreements = await agreementsFile(name, {})
  const [dataFile, backup] = [folder.file('home.db'), folder.file('backup.db')]
  await (await startHome(agreements, { dataFile })).close()
  copyFileSync(dataFile, backup)
  const home = await startHome(agreements, { dataFile })
  const peerPort = home.peerPort ?? 0
  const told: string[] = []
  const tell = (fields: object, message: string) => void told.push(`${message} ${JSON.stringify(fields)}`)
  const donor = open.use(await startDonor(peerUrl(home), { logger: { warn: tell, error: tell } }))
  await readyFor(donor)
  await take(home, lost)
  await eventually(async () => expect(await statusAt(donor, lost)).toBe('red'))
  await home.close()
  return {
    donor,
    told,
    backup,
    restore: (port = peerPort) => startHome(agreements, { dataFile: backup, peerPort: port }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

it('what it wrote at places that donors had passed does not keep them from following its new epoch', async () => {
  await using lossy = await afterTheLoss('collision')
  const { donor, backup } = lossy
  {
    await using tooEarly = await lossy.restore(0)
    await take(tooEarly, early)
    // Whom the donor holds at the first one's place comes after him here.
    await take(tooEarly, lost)
    await take(tooEarly, late)
  }
  expect(await runChiyuan('residents', 'begin-epoch', '--region', HOME, '--data', backup)).toMatchObject({
    code: 0,
  })
  await using restored = await lossy.restore()
  await eventually(async () => expect(await statusAt(donor, early)).toBe('red'))
  await readyFor(donor)
  // What it has lost is still known here, and counts until it decides anew.
  expect(await statusAt(donor, lost)).toBe('red')
  await take(restored, person(5))
  await eventually(async () => expect(await statusAt(donor, person(5))).toBe('red'))
})

it('one that has overtaken what its donors followed is refused all the same', async () => {
  await using lossy = await afterTheLoss('overtaken')
  const { donor, told } = lossy
  {
    await using tooEarly = await lossy.restore(0)
    // More than was lost, so that its feed ends behind the donor's place.
    for (const nth of [3, 4, 5]) await take(tooEarly, person(nth))
  }
  await using restored = await lossy.restore()
  await take(restored, person(6))
  // Not followed, rather than followed from a place that was another's; and its operator is told what to do.
  await eventually(() => expect(told.join()).toMatch(/begin-epoch/))
  expect(await statusAt(donor, person(6))).toBe('green')
})
