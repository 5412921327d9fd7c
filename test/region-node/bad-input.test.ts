// Every field of every body that the node takes, filled with what has broken others: SQL, wrong types, too much.
import { request as rawRequest } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'
import { letTerminalIn } from './terminal.ts'

const TIME = '2022-01-04T09:00:00+08:00'

/** A good body of each route, and the fields that are free text and so may hold anything. */
const ROUTES = [
  {
    path: '/v1/tests',
    body: { residentId: RESIDENT, result: 'negative', sampledAt: TIME, laboratory: 'lab' },
    free: ['laboratory'],
  },
  { path: '/v1/verifications', body: { residentId: RESIDENT, checkpointId: 'station-1' }, free: [] },
  {
    path: '/v1/registrations',
    body: { residentId: RESIDENT, siteId: 'site-1', tubeId: 'tube-1', registeredAt: TIME },
    free: [],
  },
  {
    path: '/v1/declarations',
    body: {
      residentId: RESIDENT,
      symptoms: ['cough'],
      temperatureCelsius: 36.6,
      contact: false,
      visitedDivisions: ['610100'],
    },
    free: [],
  },
  {
    path: '/v1/corrections',
    body: { residentId: RESIDENT, subject: 'status', testId: null, statement: 'it is wrong' },
    free: ['statement'],
  },
  { path: '/v1/paper-codes', body: { residentId: RESIDENT }, free: [] },
  { path: '/v1/family-codes', body: { residentId: RESIDENT, memberIds: ['R610100-000002'] }, free: [] },
  {
    path: '/v1/loss-reports',
    body: { residentId: RESIDENT, codeId: '0b5f0c1e-8a4a-4f4e-9f5e-2f1f5b6c7d8e' },
    free: [],
  },
  { path: '/v1/id-cards/lookups', body: { subjectTokens: [syntheticToken(RESIDENT)] }, free: [] },
] as const

const SQL = [
  "' OR 1=1 --",
  "'; DROP TABLE resident; --",
  `${RESIDENT}' UNION SELECT * FROM terminal --`,
  '" OR ""="',
  '\u0000',
]
const WRONG_TYPES: readonly unknown[] = [
  7,
  true,
  {},
  [[]],
  { $ne: null },
  { toString: 'x' },
  '',
  'x'.repeat(60_000),
  1e308,
]

describe.each(ROUTES)('POST $path', ({ path, body, free }) => {
  it('takes its good body, and refuses each field filled with nonsense; nothing is harmed or repeated', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    await using node = await startTestNode({ dataFile })
    const bearer = letTerminalIn(dataFile)
    let keys = 0
    const post = (sent: object) =>
      request(node.url)
        .post(path)
        .set('Idempotency-Key', `key-${(keys += 1)}`)
        .auth(bearer, { type: 'bearer' })
        .send(sent)
    expect([200, 201]).toContain((await post(body)).status)
    for (const field of Object.keys(body)) {
      const isFree = free.some((name) => name === field)
      // `contact` may be true.
      const wrong = WRONG_TYPES.filter((value) => field !== 'contact' || value !== true)
      for (const value of [...(isFree ? [] : SQL), ...wrong]) {
        const answer = await post({ ...body, [field]: value })
        expect([field, value, answer.status]).toStrictEqual([field, value, 422])
        expect(answer.headers['content-type']).toBe('application/problem+json')
        expect(answer.body.errors.length).toBeGreaterThanOrEqual(1)
        if (typeof value === 'string' && value.length > 3) expect(answer.text).not.toContain(value)
      }
    }
    for (const text of free.length > 0 ? SQL : []) {
      expect((await post({ ...body, [free[0] ?? '']: text })).status).toBe(201)
    }
    await request(node.url).get(`/v1/codes/${RESIDENT}`).expect(200)
    await request(node.url).get('/readyz').expect(200)
  })

  it('refuses every field that it does not know, and names it', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    await using node = await startTestNode({ dataFile })
    const bearer = letTerminalIn(dataFile)
    const text = JSON.stringify(body).replace(
      '{',
      '{"admin":true,"__proto__":{"admin":true},"constructor":1,',
    )
    const answer = await request(node.url)
      .post(path)
      .set('Content-Type', 'application/json')
      .set('Idempotency-Key', 'key')
      .auth(bearer, { type: 'bearer' })
      .send(text)
    expect(answer.status).toBe(422)
    const fields = answer.body.errors.map((fault: { field: string }) => fault.field)
    expect(fields).toStrictEqual(expect.arrayContaining(['admin', 'constructor']))
  })

  it('cuts off 10 MB after 64 KiB', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    await using node = await startTestNode({ dataFile })
    const bearer = letTerminalIn(dataFile)
    const size = 10 * 1024 * 1024
    const status = await new Promise((resolve, reject) => {
      const post = rawRequest(node.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': size,
          'idempotency-key': 'key',
          authorization: `Bearer ${bearer}`,
        },
      })
      post.once('response', (answer) => resolve(answer.statusCode))
      post.once('error', reject)
      post.write(Buffer.alloc(size, 'x'))
    })
    expect(status).toBe(413)
  })
})
