// ID-card terminals: who is let in, what they are told, and that they and the crowd can't drown each other.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { RegionNode, RegionNodeOptions } from '../../region-node/main.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'
import { beginSlowPost } from './slow-post.ts'
import { letTerminalIn, shutTerminalOut } from './terminal.ts'

const LOOKUPS = '/v1/id-cards/lookups'
const TOKEN = syntheticToken(RESIDENT)
const NOBODY = syntheticToken('R610100-999999')
const SAMPLE = { residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T09:00:00+08:00' }

interface WithTerminal extends AsyncDisposable {
  readonly node: RegionNode
  readonly bearer: string
  readonly dataFile: string
}

async function startWithTerminal(options: RegionNodeOptions = {}): Promise<WithTerminal> {
  const folder = temporaryFolder()
  const dataFile = folder.file('node.db')
  const node = await startTestNode({ dataFile, ...options })
  return {
    node,
    dataFile,
    bearer: letTerminalIn(dataFile),
    [Symbol.asyncDispose]: async () => {
      await node.close()
      folder[Symbol.dispose]()
    },
  }
}

const lookUp = ({ node, bearer }: WithTerminal, subjectTokens: unknown) =>
  request(node.url).post(LOOKUPS).auth(bearer, { type: 'bearer' }).send({ subjectTokens })

describe('POST /v1/id-cards/lookups', () => {
  it('answers each token in its order; one that is bad spoils none of the others', async () => {
    await using running = await startWithTerminal({ clock: () => Date.UTC(2026, 0, 1) })
    const { status, headers, body } = await lookUp(running, [TOKEN, '610102200001010000', NOBODY, TOKEN])
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('private, no-store')
    const found = {
      outcome: 'found',
      subjectToken: TOKEN,
      status: 'yellow',
      divisionCode: '610100',
      updatedAt: '2022-01-03T13:00:00.000Z',
      testTime: '2022-01-03T09:00:00.000Z',
      testResult: 'pending',
      freshness: 'live',
    }
    expect(body).toStrictEqual({
      results: [
        { index: 0, ...found },
        // A number sent by mistake is not repeated.
        { index: 1, outcome: 'invalid' },
        { index: 2, outcome: 'unknown', subjectToken: NOBODY },
        { index: 3, ...found },
      ],
      issuer: '610100',
      lookedUpAt: '2026-01-01T00:00:00.000Z',
    })
  })

  it('works at a backup region, which says that it is one', async () => {
    await using running = await startWithTerminal({ regionCode: '610400', holds: ['610100'] })
    const { body } = await lookUp(running, [TOKEN])
    expect(body).toMatchObject({
      issuer: '610400',
      results: [{ freshness: 'replica', divisionCode: '610100' }],
    })
  })

  it('takes a hundred at a time, and no more', async () => {
    await using running = await startWithTerminal()
    const hundred = Array.from({ length: 100 }, (_, nth) => syntheticToken(`R610100-${nth}`))
    expect((await lookUp(running, hundred)).body.results).toHaveLength(100)
    expect((await lookUp(running, [...hundred, TOKEN])).status).toBe(422)
  })

  it.each([
    { name: 'no list', tokens: undefined },
    { name: 'an empty list', tokens: [] },
    { name: 'numbers', tokens: [610_100] },
    { name: 'lists in the list', tokens: [[TOKEN]] },
    { name: 'a text beyond any token', tokens: ['x'.repeat(65)] },
    { name: 'null', tokens: null },
  ])('refuses $name', async ({ tokens }) => {
    await using running = await startWithTerminal()
    const { status, body } = await lookUp(running, tokens)
    expect([status, body.type]).toStrictEqual([422, 'urn:chiyuan:problem:invalid-input'])
  })

  it.each([
    "' OR 1=1 --",
    "'; DROP TABLE resident; --",
    'AAAAAAAAAAAAAAAAAAAAAB',
    '\u0000',
    TOKEN.slice(0, -1),
  ])('finds nobody by %j', async (token) => {
    await using running = await startWithTerminal()
    const { body } = await lookUp(running, [token, TOKEN])
    expect(body.results).toMatchObject([{ index: 0, outcome: 'invalid' }, { outcome: 'found' }])
  })

  it('refuses fields that it does not know', async () => {
    await using running = await startWithTerminal()
    const answer = await request(running.node.url)
      .post(LOOKUPS)
      .auth(running.bearer, { type: 'bearer' })
      .send({ subjectTokens: [TOKEN], numbers: ['610102200001010000'] })
    expect(answer.status).toBe(422)
    expect(answer.body.errors).toMatchObject([{ in: 'body', field: 'numbers' }])
    expect(answer.text).not.toContain('610102200001010000')
  })
})

describe('a terminal', () => {
  const guess = `station-north-3.${'A'.repeat(43)}`
  it.each([
    { name: 'nothing', authorization: undefined, challenge: 'Bearer realm="terminals"' },
    { name: 'a wrong secret', authorization: `Bearer ${guess}` },
    { name: 'an unknown terminal', authorization: `Bearer nobody.${'A'.repeat(43)}` },
    { name: 'no secret', authorization: 'Bearer station-north-3' },
    { name: 'another scheme', authorization: 'Basic c3RhdGlvbi1ub3J0aC0zOng=' },
    { name: 'SQL', authorization: "Bearer ' OR 1=1 --" },
    { name: 'two tokens', authorization: `Bearer ${guess} ${guess}` },
  ])('is not let in with $name', async ({ authorization, challenge }) => {
    await using running = await startWithTerminal()
    const asked = request(running.node.url).post(LOOKUPS)
    if (authorization !== undefined) void asked.set('Authorization', authorization)
    const { status, headers, body } = await asked.send({ subjectTokens: [TOKEN] })
    expect(status).toBe(401)
    expect(body.type).toBe('urn:chiyuan:problem:unknown-terminal')
    expect(headers['www-authenticate']).toBe(challenge ?? 'Bearer realm="terminals", error="invalid_token"')
  })

  it('is shut out from its next request on', async () => {
    await using running = await startWithTerminal()
    expect((await lookUp(running, [TOKEN])).status).toBe(200)
    shutTerminalOut(running.dataFile)
    expect((await lookUp(running, [TOKEN])).status).toBe(401)
  })

  it('is known to the store by a hash alone', async () => {
    await using running = await startWithTerminal()
    const secret = running.bearer.split('.')[1] ?? ''
    using db = new DatabaseSync(running.dataFile)
    const row = db.prepare('SELECT * FROM terminal').get()
    expect(
      Object.values(row ?? {})
        .map(String)
        .join(),
    ).not.toContain(secret)
    expect(row?.['secret_hash']).toHaveLength(32)
  })

  // The attack: make the node read bodies for people who have not said who they are.
  it('that is not let in is refused before its body is read', async () => {
    await using running = await startWithTerminal()
    const refused = await request(running.node.url)
      .post(LOOKUPS)
      .set('Content-Type', 'application/json')
      .send('x'.repeat(100_000))
    expect(refused.status).toBe(401)
  })
})

describe('the bulkhead of terminals', () => {
  it('keeps them served while the crowd has every other place', async () => {
    await using running = await startWithTerminal({ limit: 2 })
    const crowd = await Promise.all([1, 2].map(() => beginSlowPost(`${running.node.url}/v1/tests`, SAMPLE)))
    await request(running.node.url).get(`/v1/codes/${RESIDENT}`).expect(503)
    const { status, body } = await lookUp(running, [TOKEN])
    expect([status, body.results[0].outcome]).toStrictEqual([200, 'found'])
    for (const post of crowd) expect((await post.finish()).status).toBe(201)
  })

  it('answers every look-up in the middle of a flood, of which some are turned away', async () => {
    await using running = await startWithTerminal({ limit: 4 })
    const flood = { on: true }
    const statuses: number[] = []
    const resident = async (): Promise<void> => {
      const post = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(SAMPLE),
      }
      while (flood.on) statuses.push((await fetch(`${running.node.url}/v1/tests`, post)).status)
    }
    const crowd = Array.from({ length: 60 }, resident)
    for (let asked = 0; asked < 30; asked += 1) expect((await lookUp(running, [TOKEN])).status).toBe(200)
    flood.on = false
    await Promise.all(crowd)
    expect(new Set(statuses)).toStrictEqual(new Set([201, 503]))
  })

  it('keeps the crowd served while terminals have every place of their own', async () => {
    await using running = await startWithTerminal({ cardLimit: 1 })
    const headers = { authorization: `Bearer ${running.bearer}` }
    const slow = await beginSlowPost(running.node.url + LOOKUPS, { subjectTokens: [TOKEN] }, headers)
    const refused = await lookUp(running, [TOKEN])
    expect(refused.status).toBe(503)
    expect(refused.body.type).toBe('urn:chiyuan:problem:overloaded')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    await request(running.node.url).get(`/v1/codes/${RESIDENT}`).expect(200)
    await request(running.node.url)
      .get('/load')
      .expect(200, { inFlight: 0, limit: 512, draining: false, copies: [] })
    expect((await slow.finish()).status).toBe(200)
    expect((await lookUp(running, [TOKEN])).status).toBe(200)
  })

  // The attack: hold terminals' places with bodies that never come, without being a terminal.
  it('has no place for those who are not let in', async () => {
    await using running = await startWithTerminal({ cardLimit: 1 })
    const intruders = await Promise.all(
      [1, 2, 3].map(() => beginSlowPost(running.node.url + LOOKUPS, { subjectTokens: [TOKEN] })),
    )
    expect((await lookUp(running, [TOKEN])).status).toBe(200)
    for (const intruder of intruders) intruder.abort()
  })

  it('is answered too when the node stops', async () => {
    await using running = await startWithTerminal()
    const headers = { authorization: `Bearer ${running.bearer}` }
    const slow = await beginSlowPost(running.node.url + LOOKUPS, { subjectTokens: [TOKEN] }, headers)
    const closed = running.node.close()
    const { status, headers: answered } = await slow.finish()
    expect([status, answered['connection']]).toStrictEqual([200, 'close'])
    await closed
  })
})
