// A node asked for a resident by the id that a gateway makes of a document number, wherever a node takes an id.
import { createSecretKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { RegionNode } from '../../region-node/main.ts'
import { residentIdSchema } from '../../region-node/resident.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { subjectToken } from '../../region-node/tokens/subject-token.ts'
import { MOST_EPOCHS, tokenId, tokensOfId } from '../../region-node/tokens/token-id.ts'
import { RESIDENT, startTestNode } from './running-node.ts'

const pepper = createSecretKey('a pepper for tests only', 'utf8')
/** A token of an epoch under which nobody stands yet. */
const newer = subjectToken(pepper, { type: 'passport', number: 'E12345678' })
const token = syntheticToken(RESIDENT)
const id = tokenId([token])
const rotating = tokenId([newer, token])

let node: RegionNode

beforeAll(async () => {
  node = await startTestNode()
})

afterAll(() => node.close())

const get = (path: string) => request(node.url).get(path)
const post = (path: string, key: string, body: object) =>
  request(node.url).post(path).set('Idempotency-Key', key).send(body)

describe('a token id', () => {
  it('gives back its tokens, and needs no encoding in a path', () => {
    expect(tokensOfId(rotating)).toStrictEqual([newer, token])
    expect(encodeURIComponent(rotating)).toBe(rotating)
    expect(residentIdSchema.parse(tokenId(Array.from({ length: MOST_EPOCHS }, () => token)))).toHaveLength(93)
  })

  it.each([
    { name: 'no token', text: 't.' },
    { name: 'a token too many', text: tokenId(Array.from({ length: MOST_EPOCHS + 1 }, () => token)) },
    { name: 'an empty token', text: `t.${token}.` },
    { name: 'a token too long', text: `t.${token}A` },
    { name: 'a second spelling of a token', text: `t.${token.slice(0, 21)}B` },
    { name: 'capitals', text: `T.${token}` },
    { name: 'a line break', text: `${id}\n` },
  ])('of $name is none', ({ text }) => {
    expect(tokensOfId(text)).toBeUndefined()
    expect(residentIdSchema.safeParse(text).success).toBe(false)
  })

  it('is no synthetic id, and no synthetic id is one', () => {
    expect(tokensOfId(RESIDENT)).toBeUndefined()
    expect(tokensOfId(`t${token}`)).toBeUndefined()
  })
})

describe.each([
  { name: 'one-epoch', named: id },
  { name: 'two-epochs', named: rotating },
])('by an id: $name', ({ name, named }) => {
  it.each(['codes', 'credentials', 'tests', 'registrations', 'declarations', 'corrections'])(
    'GET /v1/%s finds the resident',
    async (folder) => {
      const { status, body } = await get(`/v1/${folder}/${named}`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ residentToken: token })
    },
  )

  it.each([
    { path: '/v1/tests', body: { result: 'negative', sampledAt: '2022-01-05T00:00:00Z' } },
    { path: '/v1/registrations', body: { siteId: 'site-1', registeredAt: '2022-01-05T00:00:00Z' } },
    { path: '/v1/declarations', body: { symptoms: [], contact: false, visitedDivisions: [] } },
    { path: '/v1/corrections', body: { subject: 'status', statement: 'wrong' } },
    { path: '/v1/loss-reports', body: {} },
  ])('POST $path writes for the resident', async ({ path, body }) => {
    const answer = await post(path, `${name}-${path}`, { residentId: named, ...body })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({ residentToken: token })
  })

  it('POST /v1/verifications judges the resident', async () => {
    const { body } = await request(node.url).post('/v1/verifications').send({ residentId: named })
    expect(body).toMatchObject({ valid: true, residentToken: token })
  })

  it('a carried code names each person once, by whichever ids', async () => {
    const other = syntheticToken('R610100-000002')
    const memberIds = [RESIDENT, 'R610100-000002', tokenId([other])]
    const { status, body } = await post('/v1/family-codes', `${name}-family`, {
      residentId: named,
      memberIds,
    })
    expect(status).toBe(201)
    expect(body.residentTokens).toStrictEqual([token, other])
  })
})

it('the same request is known again after peppers were rotated', async () => {
  const test = { result: 'negative', sampledAt: '2022-01-06T00:00:00Z' }
  const before = await post('/v1/tests', 'once', { residentId: id, ...test })
  const after = await post('/v1/tests', 'once', { residentId: rotating, ...test })
  expect(after.body).toStrictEqual(before.body)
  const member = syntheticToken('R610100-000003')
  const family = await post('/v1/family-codes', 'family', { residentId: id, memberIds: [tokenId([member])] })
  const again = { residentId: rotating, memberIds: [tokenId([newer, member])] }
  expect((await post('/v1/family-codes', 'family', again)).body).toStrictEqual(family.body)
})

it('a token under which nobody stands is nobody’s, and one that is malformed is refused', async () => {
  expect((await get(`/v1/codes/${tokenId([newer])}`)).status).toBe(404)
  expect((await get(`/v1/codes/t.${token}.x`)).status).toBe(400)
  expect((await post('/v1/tests', 'bad', { residentId: 't.x' })).status).toBe(422)
})
