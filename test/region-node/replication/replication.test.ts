// A donor keeps a copy of a home over mutual TLS: follows it, stands in for it, brings home what it took, forgets it.
import { copyFileSync, readFileSync } from 'node:fs'
import { describe, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import type { RegionNode } from '../../../region-node/main.ts'
import { openStore } from '../../../region-node/store/store.ts'
import { syntheticToken } from '../../../region-node/synthetic.ts'
import { eventually as eventuallyWithin } from '../../support/eventually.ts'
import { runChiyuan, startTestNode, temporaryFolder } from '../running-node.ts'
import {
  agreementsFile,
  DONOR,
  HOME,
  patienceMs,
  peerUrl,
  positive,
  readyFor,
  startDonor,
  startHome,
  statusAt,
  writeAgreements,
} from './federation.ts'
import { peerWorld } from './peer-world.ts'
import type { PeerWorld } from './peer-world.ts'

jest.setTimeout(60_000)

const eventually = (check: () => void | Promise<void>): Promise<void> => eventuallyWithin(check, patienceMs)

/** Green at first, as every resident asked for here. */
const GREEN = 'R610100-000002'
const ALSO_GREEN = 'R610100-000003'

const take = (node: RegionNode, residentId: string, key: string) =>
  request(node.url).post('/v1/tests').set('Idempotency-Key', key).send(positive(residentId)).expect(201)

const copyAt = async (donor: RegionNode) => (await request(donor.url).get('/load')).body.copies[0]

it('a donor has home’s residents, and each change as it is made', async () => {
  await using home = await startHome(await agreementsFile('follows', {}))
  await using donor = await startDonor(peerUrl(home))
  await readyFor(donor)
  for (let nth = 1; nth <= 20; nth += 1) {
    const id = `R610100-${String(nth).padStart(6, '0')}`
    const [atHome, away] = await Promise.all(
      [home, donor].map(async (node) => (await request(node.url).get(`/v1/codes/${id}`).expect(200)).body),
    )
    for (const field of ['residentToken', 'status', 'divisionCode', 'updatedAt', 'testTime', 'testResult']) {
      expect(away[field]).toBe(atHome[field])
    }
    expect([atHome.freshness, away.freshness]).toEqual(['live', 'replica'])
  }
  await take(home, GREEN, 'k1')
  await eventually(async () => expect(await statusAt(donor, GREEN)).toBe('red'))
  expect(await copyAt(donor)).toMatchObject({ region: HOME, inContact: true, waitingWrites: 0 })
})

it('home gone: the donor stands in, also after a restart of its own, and says how old its copy is', async () => {
  using folder = temporaryFolder()
  const options = { dataFile: folder.file('donor.db') }
  const home = await startHome(await agreementsFile('gone', { rpoSeconds: 1, maxAgeSeconds: 6 }))
  const url = peerUrl(home)
  {
    await using donor = await startDonor(url, options)
    await readyFor(donor)
    await take(home, GREEN, 'k1')
    await eventually(async () => expect(await statusAt(donor, GREEN)).toBe('red'))
    await home.close()
    expect(await statusAt(donor, GREEN)).toBe('red')
  }
  await using donor = await startDonor(url, options)
  await readyFor(donor)
  expect((await request(donor.url).get(`/v1/codes/${GREEN}`)).body).toMatchObject({
    status: 'red',
    issuer: DONOR,
  })
  await eventually(async () => {
    const { body } = await request(donor.url).get(`/v1/codes/${GREEN}`)
    expect(body.freshness).toBe('stale')
  })
  // Older than agreed: it says so, and answers for that home no more; for its own it does.
  await eventually(async () => {
    const { body } = await request(donor.url).get('/readyz').expect(200)
    expect(body.notReadyFor[0]).toMatchObject({ region: HOME, check: 'data' })
  })
  const refused = await request(donor.url).get(`/v1/codes/${GREEN}`)
  expect([refused.status, refused.body.type]).toEqual([421, 'urn:chiyuan:problem:copy-not-fit'])
})

describe('what a donor took while home was away', () => {
  it('is home’s as soon as home is back, once, and in home’s name', async () => {
    using folder = temporaryFolder()
    const agreements = await agreementsFile('merge', {})
    const dataFile = folder.file('home.db')
    const home = await startHome(agreements, { dataFile })
    const { peerPort } = home
    await using donor = await startDonor(peerUrl(home))
    await readyFor(donor)
    await home.close()
    await take(donor, GREEN, 'k1')
    const registration = { residentId: GREEN, siteId: 'site-1', registeredAt: '2022-01-04T09:00:00+08:00' }
    await request(donor.url)
      .post('/v1/registrations')
      .set('Idempotency-Key', 'k2')
      .send(registration)
      .expect(201)
    expect(await statusAt(donor, GREEN)).toBe('red')
    expect((await copyAt(donor)).waitingWrites).toBe(2)
    await using back = await startHome(agreements, { dataFile, peerPort: peerPort ?? 0 })
    await eventually(async () => expect(await statusAt(back, GREEN)).toBe('red'))
    await eventually(async () => expect((await copyAt(donor)).waitingWrites).toBe(0))
    const tests = (await request(back.url).get(`/v1/tests/${GREEN}`)).body.tests
    expect(tests.filter(({ originRegion }: { originRegion: string }) => originRegion === DONOR)).toHaveLength(
      1,
    )
    // A client who was not answered by the donor repeats it at home: still once.
    await take(back, GREEN, 'k1')
    const again = (await request(back.url).get(`/v1/registrations/${GREEN}`)).body.registrations
    expect(again).toMatchObject([{ siteId: 'site-1', originRegion: DONOR }])
  })

  it('crossing a change of home’s own, takes the more restrictive colour and is listed for a person', async () => {
    using folder = temporaryFolder()
    const agreements = await agreementsFile('crossing', {})
    const dataFile = folder.file('home.db')
    const home = await startHome(agreements, { dataFile })
    const { peerPort } = home
    await using donor = await startDonor(peerUrl(home))
    await readyFor(donor)
    await home.close()
    await take(donor, GREEN, 'k1')
    {
      await using alone = await startHome(agreements, { dataFile })
      const negative = { ...positive(GREEN), result: 'negative', sampledAt: '2022-01-04T10:00:00+08:00' }
      await request(alone.url).post('/v1/tests').send(negative).expect(201)
      expect(await statusAt(alone, GREEN)).toBe('green')
    }
    const back = await startHome(agreements, { dataFile, peerPort: peerPort ?? 0 })
    await eventually(async () => expect(await statusAt(back, GREEN)).toBe('red'))
    await eventually(async () => expect((await copyAt(donor)).waitingWrites).toBe(0))
    await back.close()
    const listed = await runChiyuan('residents', 'reviews', '--data', dataFile)
    const crossed = { homeStatus: 'green', takenStatus: 'red', originRegion: DONOR, reason: 'crossed' }
    expect(JSON.parse(listed.stdout)).toMatchObject({ ...crossed, residentToken: syntheticToken(GREEN) })
  })
})

describe('who may follow', () => {
  const feed = '/replication/v1/feed?epoch=1&seq=0'

  async function ask(home: RegionNode, files: { cert: string; key: string; ca: string } | null, path = feed) {
    const { Agent, request: send } = await import('node:https')
    const read = (file: string) => readFileSync(file, 'utf8')
    const ca = read((await peerWorld()).file('ca.pem'))
    const own = files === null ? {} : { cert: read(files.cert), key: read(files.key) }
    const agent = new Agent({ ca, ...own })
    try {
      return await new Promise<number | string>((resolve) => {
        const asking = send(`${peerUrl(home)}${path}`, { agent }, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        asking.on('error', ({ message }) => resolve(message))
        asking.end()
      })
    } finally {
      agent.destroy()
    }
  }

  it('only a region with an agreement, by its certificate', async () => {
    const world = await peerWorld()
    await using home = await startHome(
      await agreementsFile('who', {}, { donor: '610500', until: '2021-01-01T00:00:00+08:00' }),
    )
    expect(await ask(home, await world.filesOf(DONOR))).toBe(200)
    expect(await ask(home, await world.filesOf('610500'))).toBe(403)
    expect(await ask(home, await world.filesOf('610000'))).toBe(403)
    expect(await ask(home, await world.filesOf(DONOR, `urn:chiyuan:node:${DONOR}`))).toBe(403)
    expect(await ask(home, null)).toMatch(/certificate required|socket hang up|ECONNRESET|alert/)
    // From another epoch than home has come to: home was replaced, and is told.
    expect(await ask(home, await world.filesOf(DONOR), '/replication/v1/feed?epoch=2&seq=1')).toBe(409)
    expect(await ask(home, await world.filesOf(DONOR), '/replication/v1/feed?epoch=1&seq=x')).toBe(400)
  })

  it('a node that is not of the home asked for is not believed', async () => {
    const agreements = await agreementsFile('impostor', { donor: DONOR })
    const peer = await (await peerWorld()).filesOf('610500')
    await using impostor = await startTestNode({ regionCode: '610500', peerPort: 0, peer, agreements })
    await using donor = await startDonor(peerUrl(impostor))
    await eventually(async () => {
      const { body } = await request(donor.url).get('/readyz').expect(200)
      expect(body.notReadyFor[0].detail).toMatch(/certificate is not of region 610100/)
    })
    const refused = await request(donor.url).get(`/v1/codes/${GREEN}`)
    expect([refused.status, refused.body.type]).toEqual([421, 'urn:chiyuan:problem:copy-not-fit'])
  })

  it.each([
    {
      name: 'of another region',
      files: (world: PeerWorld) => world.filesOf('610500'),
      says: /region 610500/,
    },
    { name: 'of no region', files: (world: PeerWorld) => world.filesOf('1', 'urn:x:y'), says: /no region/ },
    {
      name: 'whose key is another’s',
      files: async (world: PeerWorld) => ({
        ...(await world.filesOf(DONOR)),
        key: (await world.filesOf('610500')).key,
      }),
      says: /fits together/,
    },
  ])('a node does not start with a certificate $name', async ({ files, says }) => {
    const peer = await files(await peerWorld())
    await expect(startTestNode({ regionCode: DONOR, peer, peerPort: 0 })).rejects.toThrow(says)
  })

  it('what was not agreed stays at home', async () => {
    await using home = await startHome(await agreementsFile('fields', { fields: ['testTime'] }))
    await using donor = await startDonor(peerUrl(home))
    await readyFor(donor)
    const { body } = await request(donor.url).get(`/v1/codes/${ALSO_GREEN}`)
    expect(body.testTime).not.toBeNull()
    expect(body.testResult).toBeNull()
  })
})

it('a home that came back from a backup is not taken for what it was: a new epoch, all read anew, nothing bettered', async () => {
  using folder = temporaryFolder()
  const agreements = await agreementsFile('epoch', {})
  const [dataFile, backup] = [folder.file('home.db'), folder.file('backup.db')]
  {
    await using first = await startHome(agreements, { dataFile })
    await take(first, ALSO_GREEN, 'k0')
  }
  copyFileSync(dataFile, backup)
  const home = await startHome(agreements, { dataFile })
  const peerPort = home.peerPort ?? 0
  await using donor = await startDonor(peerUrl(home))
  await readyFor(donor)
  await take(home, GREEN, 'k1')
  await eventually(async () => expect(await statusAt(donor, GREEN)).toBe('red'))
  await home.close()
  {
    // Without a word: what it writes now would have places that the donor has passed.
    await using restored = await startHome(agreements, { dataFile: backup, peerPort })
    expect(await statusAt(restored, GREEN)).toBe('green')
    await eventually(async () => expect((await copyAt(donor)).inContact).toBe(false))
    expect(await statusAt(donor, GREEN)).toBe('red')
  }
  const begun = await runChiyuan('residents', 'begin-epoch', '--region', HOME, '--data', backup)
  expect(begun).toMatchObject({ code: 0, stdout: expect.stringContaining('epoch 2') })
  await using restored = await startHome(agreements, { dataFile: backup, peerPort })
  await readyFor(donor)
  await eventually(async () => expect((await copyAt(donor)).inContact).toBe(true))
  await readyFor(donor)
  expect(await statusAt(donor, GREEN)).toBe('red')
  await take(restored, 'R610100-000004', 'k2')
  await eventually(async () => expect(await statusAt(donor, 'R610100-000004')).toBe('red'))
})

it('when the agreement ends the copy is purged, and home has a certificate that the donor signed', async () => {
  using folder = temporaryFolder()
  const agreements = await agreementsFile('ends', {})
  const [homeFile, donorFile] = [folder.file('home.db'), folder.file('donor.db')]
  const home = await startHome(agreements, { dataFile: homeFile })
  const donor = await startDonor(peerUrl(home), { dataFile: donorFile })
  await readyFor(donor)
  await take(donor, GREEN, 'k1')
  writeAgreements(agreements, { until: '2021-01-01T00:00:00+08:00' })
  await eventually(async () => {
    await request(donor.url).get('/readyz').query({ home: HOME }).expect(503)
  })
  await eventually(() => {
    const store = openStore(homeFile)
    try {
      expect(store.purges.all()).toHaveLength(1)
    } finally {
      store.close()
    }
  })
  await donor.close()
  await home.close()
  const atHome = openStore(homeFile)
  const [certificate] = atHome.purges.all()
  expect(atHome.residents.byToken(syntheticToken(GREEN))?.status).toBe('red')
  atHome.close()
  const claims = JSON.parse(Buffer.from(certificate?.certificate.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ iss: DONOR, hom: HOME, agreement: 'agreement-0', residents: 20, left: 0 })
  const token = Buffer.from(syntheticToken(GREEN), 'base64url')
  expect(readFileSync(homeFile).includes(token)).toBe(true)
  expect(readFileSync(donorFile).includes(token)).toBe(false)
  expect(readFileSync(donorFile).includes(syntheticToken(GREEN))).toBe(false)
  const atDonor = openStore(donorFile)
  expect(atDonor.residents.byToken(syntheticToken(GREEN))).toBeUndefined()
  expect(atDonor.residents.byToken(syntheticToken('R610400-000001'))).toBeDefined()
  atDonor.close()
})

it('another node of the region follows its writer, and leaves to it what only the writer takes', async () => {
  const peer = await (await peerWorld()).filesOf(HOME)
  await using writer = await startHome(await agreementsFile('own', {}))
  const follow = [{ region: HOME, urls: [peerUrl(writer)] }]
  await using second = await startTestNode({ peer, follow, nodeName: 'xian-2' })
  await eventually(async () => {
    await request(second.url).get('/readyz').expect(200)
  })
  await take(second, GREEN, 'k1')
  await eventually(async () => expect(await statusAt(writer, GREEN)).toBe('red'))
  expect((await request(second.url).get(`/v1/codes/${GREEN}`)).body.freshness).toBe('live')
  const declaration = { residentId: GREEN, symptoms: [], contact: false, visitedDivisions: [] }
  const left = await request(second.url)
    .post('/v1/declarations')
    .set('Idempotency-Key', 'd')
    .send(declaration)
  expect([left.status, left.body.type]).toEqual([421, 'urn:chiyuan:problem:not-the-writer'])
})
