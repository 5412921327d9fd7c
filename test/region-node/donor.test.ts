// A donor answers for a resident of another home: the same shape, believed under the agreement, never a better colour.
import { expect, it } from '@jest/globals'
import request from 'supertest'
import { emptyLists, takeRevocationList, takeTrustList } from '../../region-node/verify/lists.ts'
import type { Lists } from '../../region-node/verify/lists.ts'
import { readRoots } from '../../region-node/verify/roots.ts'
import { verifyCode } from '../../region-node/verify/verify-code.ts'
import { startTestNode } from './running-node.ts'
import { signingWorld } from './signing-world.ts'
import { mustTake } from './verify/hand-signed.ts'

const severity = new Map([
  ['green', 0],
  ['yellow', 1],
  ['red', 2],
])
const residents = Array.from({ length: 20 }, (_, nth) => `R610100-${String(nth + 1).padStart(6, '0')}`)

/** What a checkpoint would have fetched from any node. */
async function listsFrom(url: string): Promise<Lists> {
  const nowMs = Date.now()
  const root = await readRoots((await request(url).get('/v1/trust-root')).body)
  if (!root.ok) throw new Error(root.detail)
  const trust = (await request(url).get('/v1/trust-list')).text
  let lists = mustTake(await takeTrustList(emptyLists(root.roots), trust, { nowMs }))
  const { body } = await request(url).get('/v1/revocation-lists')
  for (const text of body.lists) lists = mustTake(await takeRevocationList(lists, text, { nowMs }))
  return lists
}

it.each(['codes', 'credentials'])('GET /v1/%s/{id} at home and at the donor', async (folder) => {
  const world = await signingWorld()
  const revocationLists = await Promise.all(
    ['610100', '610400'].map(async (region) =>
      world.write(`${folder}-${region}.jws`, await world.revocations(region, Date.now())),
    ),
  )
  await using home = await startTestNode({ revocationLists })
  await using donor = await startTestNode({ regionCode: '610400', holds: ['610100'], revocationLists })
  const lists = await listsFrom(donor.url)
  for (const resident of residents) {
    const atHome = (await request(home.url).get(`/v1/${folder}/${resident}`)).body
    const away = (await request(donor.url).get(`/v1/${folder}/${resident}`)).body
    expect(Object.keys(away)).toStrictEqual(Object.keys(atHome))
    const verdict = await verifyCode(away.code, lists, { nowMs: Date.now() })
    expect(verdict).toMatchObject({
      outcome: 'valid',
      delegated: true,
      kind: folder === 'codes' ? 'display' : 'carried',
      claims: { iss: '610400', hom: '610100', sub: atHome.residentToken, st: away.status },
    })
    expect(severity.get(away.status)).toBeGreaterThanOrEqual(severity.get(atHome.status) ?? Infinity)
  }
})

it('a donor that took a positive test says red at once, and home finds its code good', async () => {
  await using home = await startTestNode()
  await using donor = await startTestNode({ regionCode: '610400', holds: ['610100'] })
  const residentId = 'R610100-000002'
  const sample = { residentId, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
  await request(donor.url).post('/v1/tests').send(sample).expect(201)
  const { code, status } = (await request(donor.url).get(`/v1/codes/${residentId}`)).body
  expect(status).toBe('red')
  // Home has not heard of it and is green; the code says red; the more restrictive counts.
  const judged = await request(home.url).post('/v1/verifications').send({ code })
  expect(judged.body).toMatchObject({ valid: true, status: 'red' })
})

it('a code that was green when it was signed does not outlast the turn to red at the node asked', async () => {
  await using node = await startTestNode()
  const residentId = 'R610100-000002'
  const { code } = (await request(node.url).get(`/v1/codes/${residentId}`)).body
  const sample = { residentId, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
  await request(node.url).post('/v1/tests').send(sample).expect(201)
  const judged = await request(node.url).post('/v1/verifications').send({ code })
  expect(judged.body).toMatchObject({ valid: true, status: 'red' })
})
