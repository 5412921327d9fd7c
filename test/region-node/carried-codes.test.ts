// Paper and family codes: what they show when they are shown, and that a lost one shows nothing.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode } from './running-node.ts'

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
      code: expect.stringMatching(/^paper~/),
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

  it('is good for 90 days', async () => {
    let nowMs = Date.UTC(2022, 0, 4)
    await using node = await startTestNode({ clock: () => nowMs })
    const { code } = await paperOf(node.url, GREEN)
    nowMs += 90 * DAY_MS - 1
    expect((await verify(node.url, code)).valid).toBe(true)
    nowMs += 1
    expect(await verify(node.url, code)).toMatchObject({ valid: false, status: 'expired', reason: 'expired' })
  })

  it('is short enough to print large', async () => {
    await using node = await startTestNode()
    expect((await paperOf(node.url, GREEN)).code.length).toBeLessThan(100)
  })

  it('can’t be made of a shown one, nor of another’s', async () => {
    await using node = await startTestNode()
    const [mine, theirs] = [await paperOf(node.url, GREEN), await paperOf(node.url, RESIDENT)]
    const shown = (await request(node.url).get(`/v1/codes/${GREEN}`)).body.code
    const seal = mine.code.slice(mine.code.indexOf('.'))
    for (const forged of [theirs.code.split('.')[0] + seal, `paper~${shown}`]) {
      expect(await verify(node.url, forged)).toMatchObject({ valid: false, reason: 'tampered' })
    }
  })

  it('is not known where its list is not: a genuine code that may have been lost is not taken', async () => {
    await using home = await startTestNode()
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const { code } = await paperOf(home.url, GREEN)
    expect(await verify(backup.url, code)).toMatchObject({
      valid: false,
      status: 'unknown',
      reason: 'unknown-code',
    })
  })
})

describe('a family code', () => {
  const family = { residentId: GREEN, memberIds: [CHILD, RESIDENT] }

  it('stands for each, and all pass as the worst of them', async () => {
    await using node = await startTestNode()
    const { body } = await post(node.url, '/v1/family-codes', family).expect(201)
    expect(body.residentTokens[0]).toBe(syntheticToken(GREEN))
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
