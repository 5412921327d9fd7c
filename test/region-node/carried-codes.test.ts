// Paper and family codes: what they show when they are shown, and that a lost one shows nothing.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { startRegionNode } from '../../region-node/main.ts'
import { paperName } from '../../region-node/paper-name.ts'
import { CodeSigner } from '../../region-node/signing/code-signer.ts'
import { KeyRing } from '../../region-node/signing/key-ring.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'
import { signingWorld } from './signing-world.ts'

const GREEN = 'R610100-000002'
const CHILD = 'R610100-000003'
const DAY_MS = 24 * 3_600_000

let keys = 0
const post = (url: string, path: string, body: object, key = `key-${(keys += 1)}`) =>
  request(url).post(path).set('Idempotency-Key', key).send(body)

const paperOf = async (url: string, residentId: string) =>
  (await post(url, '/v1/paper-codes', { residentId }).expect(201)).body

const verify = async (url: string, code: string) =>
  (await request(url).post('/v1/verifications').send({ code }).expect(200)).body

describe('a paper code', () => {
  it('stands for its holder, with the colour of the moment, not that of the printing', async () => {
    await using node = await startTestNode()
    const paper = await paperOf(node.url, GREEN)
    expect(paper).toStrictEqual({
      codeId: expect.stringMatching(/^[\da-f-]{36}$/),
      code: expect.stringMatching(/^eyJ/),
      residentTokens: [syntheticToken(GREEN)],
      issuedAt: expect.any(String),
      validUntil: expect.any(String),
    })
    expect(await verify(node.url, paper.code)).toMatchObject({ valid: true, status: 'green' })
    const sample = { residentId: GREEN, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
    await request(node.url).post('/v1/tests').send(sample).expect(201)
    const shown = await verify(node.url, paper.code)
    expect(shown).toMatchObject({ valid: true, status: 'red', residentToken: syntheticToken(GREEN) })
    expect(shown).not.toHaveProperty('members')
  })

  it('is good for 90 days, and then for as long as clocks may differ', async () => {
    using folder = temporaryFolder()
    const printedAtMs = Date.UTC(2022, 0, 4)
    const at = async <T>(nowMs: number, act: (url: string) => Promise<T>): Promise<T> => {
      await using node = await startTestNode({ dataFile: folder.file('node.db'), clock: () => nowMs })
      return await act(node.url)
    }
    const { code, validUntil } = await at(printedAtMs, (url) => paperOf(url, GREEN))
    const endMs = printedAtMs + 90 * DAY_MS
    expect(validUntil).toBe(new Date(endMs).toISOString())
    expect((await at(endMs + 29_999, (url) => verify(url, code))).valid).toBe(true)
    expect(await at(endMs + 30_000, (url) => verify(url, code))).toMatchObject({
      valid: false,
      status: 'expired',
      reason: 'expired',
    })
  })

  it('can’t be made of a shown one, nor of parts of two', async () => {
    await using node = await startTestNode()
    const [mine, theirs] = [await paperOf(node.url, GREEN), await paperOf(node.url, RESIDENT)]
    const shown = (await request(node.url).get(`/v1/codes/${GREEN}`)).body.code
    const parts = (code: string): string[] => code.split('.')
    const [header = '', payload = '', signature = ''] = parts(mine.code)
    for (const forged of [
      [header, parts(theirs.code)[1], signature],
      [header, parts(shown)[1], parts(shown)[2]],
      [parts(shown)[0], payload, signature],
    ]) {
      expect(await verify(node.url, forged.join('.'))).toMatchObject({ valid: false, reason: 'tampered' })
    }
  })

  it('is refused by a node without a key, and by one whose key nobody knows; a repeat is answered as ever', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    let first: string
    {
      await using node = await startTestNode({ dataFile })
      first = (await post(node.url, '/v1/paper-codes', { residentId: GREEN }, 'once')).text
    }
    await using keyless = await startRegionNode({ port: 0, residents: 20, dataFile })
    const refused = await post(keyless.url, '/v1/paper-codes', { residentId: GREEN })
    expect([refused.status, refused.body.type]).toStrictEqual([503, 'urn:chiyuan:problem:no-signing-key'])
    expect((await post(keyless.url, '/v1/paper-codes', { residentId: GREEN }, 'once')).text).toBe(first)
    const world = await signingWorld()
    const trustList = world.write('without.jws', await world.trustList(Date.now(), { without: '610100' }))
    await using unlisted = await startTestNode({ trustList })
    const early = await post(unlisted.url, '/v1/paper-codes', { residentId: GREEN }).expect(503)
    expect(early.body.detail).toContain('not in its trust list')
  })

  it('that home signed and has no record of is not taken: its loss would have no record either', async () => {
    await using before = await startTestNode()
    await using restored = await startTestNode()
    const { code } = await paperOf(before.url, GREEN)
    expect(await verify(restored.url, code)).toMatchObject({ valid: false, reason: 'unknown-code' })
  })
})

it('a region’s paper for a resident of another is refused, whoever holds them', async () => {
  const world = await signingWorld()
  const ring = await KeyRing.open(world.keys('610400'))
  const signer = new CodeSigner({ ring, delegations: () => [] })
  const sub = ['R610400-000001', GREEN].map(syntheticToken)
  const signing = await signer.paper({ hom: '610400', sub, rid: paperName(randomUUID()) }, Date.now())
  const code = signing.ok ? signing.code.text : ''
  const losses = world.write('610400.jws', await world.revocations('610400', Date.now()))
  await using node = await startTestNode({ holds: ['610400'], revocationLists: [losses] })
  expect(await verify(node.url, code)).toMatchObject({ valid: false, reason: 'undelegated' })
})

describe('paper at a node that stands in for home', () => {
  const backup = { regionCode: '610400', holds: ['610100'] }

  it('shows the colour that this node knows, once it has home’s list of losses, and also when home is gone', async () => {
    const world = await signingWorld()
    let code: string
    {
      await using home = await startTestNode()
      code = (await paperOf(home.url, GREEN)).code
    }
    await using blind = await startTestNode(backup)
    expect(await verify(blind.url, code)).toMatchObject({ valid: false, reason: 'list-too-old' })
    const list = world.write('610100.jws', await world.revocations('610100', Date.now()))
    await using node = await startTestNode({ ...backup, revocationLists: [list] })
    expect(await verify(node.url, code)).toMatchObject({
      valid: true,
      status: 'green',
      residentToken: syntheticToken(GREEN),
      divisionCode: '610100',
      freshness: 'replica',
    })
  })

  it('is refused there once a list names it as lost', async () => {
    await using home = await startTestNode()
    const [lost, kept] = [await paperOf(home.url, GREEN), await paperOf(home.url, GREEN)]
    const world = await signingWorld()
    const revoked = [{ rid: paperName(lost.codeId) }]
    const list = world.write('lost.jws', await world.revocations('610100', Date.now(), { revoked }))
    await using node = await startTestNode({ ...backup, revocationLists: [list] })
    expect(await verify(node.url, lost.code)).toMatchObject({ valid: false, reason: 'revoked' })
    expect((await verify(node.url, kept.code)).valid).toBe(true)
  })

  it('is not answered where nobody of that home is held: another node is to be asked', async () => {
    await using home = await startTestNode()
    const { code } = await paperOf(home.url, GREEN)
    const world = await signingWorld()
    const list = world.write('elsewhere.jws', await world.revocations('610100', Date.now()))
    await using elsewhere = await startTestNode({ regionCode: '610500', revocationLists: [list] })
    await request(elsewhere.url).post('/v1/verifications').send({ code }).expect(404)
  })
})

describe('a family code', () => {
  const family = { residentId: GREEN, memberIds: [CHILD, RESIDENT] }

  it('stands for each, and all pass as the worst of them', async () => {
    await using node = await startTestNode()
    const { body } = await post(node.url, '/v1/family-codes', family).expect(201)
    expect(body.residentTokens[0]).toBe(syntheticToken(GREEN))
    expect(body.code.length).toBeLessThan(500)
    const shown = await verify(node.url, body.code)
    expect(shown).toMatchObject({ valid: true, status: 'yellow', residentToken: syntheticToken(GREEN) })
    expect(new Set(shown.members.map((m: { residentToken: string }) => m.residentToken))).toStrictEqual(
      new Set([GREEN, CHILD, RESIDENT].map(syntheticToken)),
    )
    expect(shown.members[0]).toStrictEqual({
      status: 'green',
      residentToken: syntheticToken(GREEN),
      divisionCode: '610100',
      freshness: 'live',
    })
  })

  it('is the same in another order, and with its holder named again', async () => {
    await using node = await startTestNode()
    const first = await post(node.url, '/v1/family-codes', family, 'same')
    const again = { residentId: GREEN, memberIds: [RESIDENT, GREEN, CHILD] }
    expect((await post(node.url, '/v1/family-codes', again, 'same')).text).toBe(first.text)
  })

  it.each([
    { name: 'nobody', memberIds: [] },
    { name: 'one twice', memberIds: [CHILD, CHILD] },
    { name: 'nine', memberIds: Array.from({ length: 9 }, (_, nth) => `R610100-00001${nth}`) },
  ])('does not stand for $name', async ({ memberIds }) => {
    await using node = await startTestNode()
    await post(node.url, '/v1/family-codes', { residentId: GREEN, memberIds }).expect(422)
  })

  it('is not issued when one of them is unknown, or of another home, and leaves no trace', async () => {
    await using node = await startTestNode({ holds: ['610400'] })
    await post(node.url, '/v1/family-codes', { residentId: GREEN, memberIds: [CHILD, 'nobody'] }).expect(404)
    const abroad = { residentId: GREEN, memberIds: [CHILD, 'R610400-000001'] }
    const refused = await post(node.url, '/v1/family-codes', abroad).expect(409)
    expect(refused.body.divisionCode).toBe('610400')
    const loss = await post(node.url, '/v1/loss-reports', { residentId: GREEN })
    expect(loss.body.codesLost).toBe(0)
  })
})

describe('a loss report', () => {
  it('shuts out one code, and leaves the holder’s others, and others’', async () => {
    await using node = await startTestNode()
    const [lost, kept] = [await paperOf(node.url, GREEN), await paperOf(node.url, GREEN)]
    const theirs = await paperOf(node.url, CHILD)
    const report = { residentId: GREEN, codeId: lost.codeId }
    const { body } = await post(node.url, '/v1/loss-reports', report).expect(201)
    expect(body).toStrictEqual({
      lossReportId: expect.any(String),
      residentToken: syntheticToken(GREEN),
      codesLost: 1,
      reportedAt: expect.any(String),
    })
    expect(await verify(node.url, lost.code)).toStrictEqual({
      valid: false,
      status: 'unknown',
      reason: 'lost',
      lists: { trustSeconds: expect.any(Number), revocationsSeconds: null },
      issuer: '610100',
      verifiedAt: expect.any(String),
    })
    for (const { code } of [kept, theirs]) expect((await verify(node.url, code)).valid).toBe(true)
    expect((await post(node.url, '/v1/loss-reports', report)).body.codesLost).toBe(0)
  })

  it('without a code shuts out all that the resident carries', async () => {
    await using node = await startTestNode()
    const paper = await paperOf(node.url, GREEN)
    const family = await post(node.url, '/v1/family-codes', { residentId: GREEN, memberIds: [CHILD] })
    const { body } = await post(node.url, '/v1/loss-reports', { residentId: GREEN })
    expect(body.codesLost).toBe(2)
    for (const { code } of [paper, family.body]) expect((await verify(node.url, code)).reason).toBe('lost')
  })

  it('sent again shuts out nothing that was printed since', async () => {
    await using node = await startTestNode()
    const lost = await paperOf(node.url, GREEN)
    const first = await post(node.url, '/v1/loss-reports', { residentId: GREEN }, 'report')
    const fresh = await paperOf(node.url, GREEN)
    const again = await post(node.url, '/v1/loss-reports', { residentId: GREEN }, 'report')
    expect(again.text).toBe(first.text)
    expect((await verify(node.url, lost.code)).reason).toBe('lost')
    expect((await verify(node.url, fresh.code)).valid).toBe(true)
  })

  it('shuts out no code of somebody else', async () => {
    await using node = await startTestNode()
    const paper = await paperOf(node.url, GREEN)
    const report = { residentId: CHILD, codeId: paper.codeId }
    expect((await post(node.url, '/v1/loss-reports', report)).body.codesLost).toBe(0)
    expect((await verify(node.url, paper.code)).valid).toBe(true)
  })
})

it.each(['/v1/paper-codes', '/v1/loss-reports'])('%s is home’s own', async (path) => {
  await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
  const refused = await post(backup.url, path, { residentId: GREEN })
  expect([refused.status, refused.body.type]).toStrictEqual([409, 'urn:chiyuan:problem:home-only'])
})
