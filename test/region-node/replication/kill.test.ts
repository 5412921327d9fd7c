// kill -9 at any moment, of home or of its donor, loses no write that was acknowledged; what a dead home's last seconds
// held that the donor has not is within the agreed RPO.
import { expect, it } from '@jest/globals'
import { openStore } from '../../../region-node/store/store.ts'
import { syntheticToken } from '../../../region-node/synthetic.ts'
import { eventually } from '../../support/eventually.ts'
import { spawnNode, temporaryFolder } from '../running-node.ts'
import type { NodeProcess } from '../running-node.ts'
import { signingWorld } from '../signing-world.ts'
import { agreementsFile, DONOR, HOME, positive } from './federation.ts'
import { lateWire } from '../../support/late-wire.ts'
import { peerWorld } from './peer-world.ts'

const RESIDENTS = 3_000
/** What it is in truth is measured by test/bench/replication; this is what no machine's pauses come to. */
const agreedSeconds = 10
const id = (nth: number): string => `R${HOME}-${String(nth).padStart(6, '0')}`

async function flagsOf(region: string): Promise<string[]> {
  const { cert, key, ca } = await (await peerWorld()).filesOf(region)
  const { trustList, trustRoot } = await (await signingWorld()).optionsFor(region, Date.now())
  const peer = ['--peer-cert', cert, '--peer-key', key, '--peer-ca', ca]
  return ['--region', region, ...peer, '--trust-root', trustRoot ?? '', '--trust-list', trustList ?? '']
}

async function startHome(dataFile: string, peerPort: number): Promise<NodeProcess> {
  const agreements = await agreementsFile('kill', { rpoSeconds: agreedSeconds })
  const holding = ['--data', dataFile, '--residents', String(RESIDENTS)]
  const lending = ['--peer-port', String(peerPort), '--agreements', agreements]
  return spawnNode(...(await flagsOf(HOME)), ...holding, ...lending)
}

const startDonor = async (dataFile: string, port: number): Promise<NodeProcess> =>
  spawnNode(...(await flagsOf(DONOR)), '--data', dataFile, '--follow', `${HOME}=https://127.0.0.1:${port}`)

/** Hands in positive tests until the node dies. @returns Whom it acknowledged, and when. */
async function storm(node: NodeProcess, from: number, until: () => boolean): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>()
  let next = from
  const client = async (): Promise<void> => {
    while (!until() && next <= RESIDENTS) {
      const residentId = id((next += 1) - 1)
      const body = JSON.stringify(positive(residentId))
      const headers = { 'content-type': 'application/json', 'idempotency-key': residentId }
      const answer = await fetch(`${node.url}/v1/tests`, { method: 'POST', headers, body }).catch(() => null)
      if (answer === null) return
      if (answer.status === 201) acknowledged.set(residentId, performance.now())
      await answer.text().catch(() => '')
    }
  }
  await Promise.all(Array.from({ length: 4 }, client))
  return acknowledged
}

const statuses = (dataFile: string, ids: Iterable<string>): Map<string, string | undefined> => {
  const store = openStore(dataFile)
  const found = new Map([...ids].map((each) => [each, store.residents.byToken(syntheticToken(each))?.status]))
  store.close()
  return found
}

async function ready(node: NodeProcess): Promise<void> {
  await eventually(async () => {
    expect((await fetch(`${node.url}/readyz?home=${HOME}`)).status).toBe(200)
  }, 30_000)
}

it('home killed in a storm: it loses nothing, and the donor no more of it than was agreed', async () => {
  using folder = temporaryFolder()
  const [homeFile, donorFile] = [folder.file('home.db'), folder.file('donor.db')]
  await using home = await startHome(homeFile, 0)
  await using wire = await lateWire(home.peerPort ?? 0, 25)
  await using donor = await startDonor(donorFile, wire.port)
  await ready(donor)
  let dead = Infinity
  const storming = storm(home, 1, () => false)
  setTimeout(() => {
    dead = performance.now()
    home.child.kill('SIGKILL')
  }, 400)
  const acknowledged = await storming
  await home.ended
  expect(acknowledged.size).toBeGreaterThan(10)
  expect(new Set(statuses(homeFile, acknowledged.keys()).values())).toEqual(new Set(['red']))
  await ready(donor)
  donor.child.kill('SIGKILL')
  await donor.ended
  const copied = statuses(donorFile, acknowledged.keys())
  const lost = [...acknowledged].filter(([residentId]) => copied.get(residentId) !== 'red')
  for (const [, atMs] of lost) expect(dead - atMs).toBeLessThan(agreedSeconds * 1_000)
}, 90_000)

it('the donor killed with home’s writes in hand: all of them come home, once', async () => {
  using folder = temporaryFolder()
  const [homeFile, donorFile] = [folder.file('home.db'), folder.file('donor.db')]
  let peerPort = 0
  {
    await using home = await startHome(homeFile, 0)
    peerPort = home.peerPort ?? 0
    await using donor = await startDonor(donorFile, peerPort)
    await ready(donor)
    home.child.kill('SIGKILL')
    await home.ended
    const storming = storm(donor, 1, () => false)
    setTimeout(() => donor.child.kill('SIGKILL'), 400)
    const acknowledged = await storming
    await donor.ended
    expect(acknowledged.size).toBeGreaterThan(10)
    expect(new Set(statuses(donorFile, acknowledged.keys()).values())).toEqual(new Set(['red']))
    await using back = await startHome(homeFile, peerPort)
    // Killed once more while it hands over.
    await using again = await startDonor(donorFile, peerPort)
    again.child.kill('SIGKILL')
    await again.ended
    await using last = await startDonor(donorFile, peerPort)
    await eventually(async () => {
      const answer = await fetch(`${last.url}/load`)
      expect(await answer.json()).toMatchObject({ copies: [{ waitingWrites: 0 }] })
    }, 30_000)
    back.child.kill('SIGKILL')
    await back.ended
    const store = openStore(homeFile)
    for (const residentId of acknowledged.keys()) {
      const token = syntheticToken(residentId)
      expect(store.residents.byToken(token)?.status).toBe('red')
      const handedIn = store.tests.newest(token, 100).filter(({ originRegion }) => originRegion === DONOR)
      expect(handedIn).toHaveLength(1)
    }
    store.close()
  }
}, 90_000)
