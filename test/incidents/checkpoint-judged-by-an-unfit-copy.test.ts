// A donor whose copy of a home was older than agreed refused that home's codes, and yet told checkpoints and terminals
// who was green: `POST /v1/verifications` by resident and card look-ups never asked whether the copy was fit. And while
// the first copy was being read, a test result for somebody whom it had not come to was refused as of nobody.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import type { RegionNode } from '../../region-node/main.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import {
  agreementsFile,
  HOME,
  patienceMs,
  peerUrl,
  positive,
  readyFor,
  startDonor,
  startHome,
} from '../region-node/replication/federation.ts'
import { temporaryFolder } from '../region-node/running-node.ts'
import { letTerminalIn } from '../region-node/terminal.ts'
import { eventually } from '../support/eventually.ts'

jest.setTimeout(60_000)

const resident = `R${HOME}-000002`
const notFit = { type: 'urn:chiyuan:problem:copy-not-fit', divisionCode: HOME }
let open: AsyncDisposableStack
let donor: RegionNode
let bearer: string
/** A code of home's own, from when it was there. */
let code: string

beforeAll(async () => {
  open = new AsyncDisposableStack()
  const folder = open.use(temporaryFolder())
  const dataFile = folder.file('donor.db')
  const home = await startHome(await agreementsFile('unfit', { rpoSeconds: 1, maxAgeSeconds: 1 }))
  open.use(home)
  donor = open.use(await startDonor(peerUrl(home), { dataFile }))
  await readyFor(donor)
  code = (await request(home.url).get(`/v1/codes/${resident}`).expect(200)).body.code
  bearer = letTerminalIn(dataFile)
  await home.close()
  await eventually(async () => {
    await request(donor.url).get(`/v1/codes/${resident}`).expect(421)
  }, patienceMs)
})
afterAll(() => open.disposeAsync())

describe('a donor whose copy is older than agreed', () => {
  it('says nothing of a resident to a checkpoint', async () => {
    const { status, body } = await request(donor.url).post('/v1/verifications').send({ residentId: resident })
    expect([status, body]).toEqual([421, expect.objectContaining(notFit)])
    expect(body).not.toHaveProperty('status', 'green')
  })

  it('judges a signed code by what was signed, and calls it stale', async () => {
    const { body } = await request(donor.url).post('/v1/verifications').send({ code }).expect(200)
    expect(body).toMatchObject({ valid: true, freshness: 'stale' })
  })

  it('says so to a terminal of that card alone', async () => {
    const subjectTokens = [syntheticToken(resident), syntheticToken('R610400-000001')]
    const { body } = await request(donor.url)
      .post('/v1/id-cards/lookups')
      .set('Authorization', `Bearer ${bearer}`)
      .send({ subjectTokens })
      .expect(200)
    expect(body.results).toEqual([
      { index: 0, outcome: 'copy-not-fit', subjectToken: subjectTokens[0], divisionCode: HOME },
      expect.objectContaining({ index: 1, outcome: 'found', divisionCode: '610400' }),
    ])
  })

  it('takes test results all the same: they can only worsen', async () => {
    await request(donor.url)
      .post('/v1/tests')
      .set('Idempotency-Key', 'k')
      .send(positive(resident))
      .expect(201)
  })
})

it('a copy that has not come to a resident yet calls nobody unknown', async () => {
  // Nobody is there to be followed, so the copy has nothing in it.
  await using early = await startDonor('https://127.0.0.1:1')
  const asked = [
    request(early.url).post('/v1/verifications').send({ residentId: resident }),
    request(early.url).post('/v1/tests').set('Idempotency-Key', 'k').send(positive(resident)),
  ]
  for (const { status, body } of await Promise.all(asked))
    expect([status, body]).toEqual([421, expect.objectContaining(notFit)])
})
